"""Evaluator `json_schema`: answers that have to be JSON that a JSON schema accepts.

An answer is hostile input: JSON that is nested too deeply or not strictly valid (`NaN`) scores 0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn, Self

from pydantic import Field, model_validator

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.rows import Options as BaseOptions

FENCED = re.compile(r"```(?:json\b|\w*[ \t]*\n)?(.*?)(?:```|\Z)", re.DOTALL | re.IGNORECASE)
REASON_CHARACTERS = 200
NO_JSON = object()


class JsonSchema:
    """Fraction of answers that are JSON which the schema accepts."""

    name: ClassVar[str] = "json_schema"
    needs: ClassVar[str] = "predictions"
    higher_is_better: ClassVar[bool] = True
    environment: ClassVar[str] = "server_cpu"

    class Options(BaseOptions):
        """The schema, or the column that contains it as a mapping or as text."""

        # pydantic reserves the name `schema`.
        inline: dict[str, Any] | None = Field(default=None, alias="schema")
        """JSON Schema for the answers of all rows. Set this or `schema_field`."""
        schema_field: str | None = None
        """Name of the column with the JSON Schema of each row, as a mapping or as text. Set this or `schema`."""
        extract: bool = True
        """Extract the JSON from surrounding text and code fences."""

        @model_validator(mode="after")
        def _check_alternatives(self) -> Self:
            if (self.inline is None) == (self.schema_field is None):
                raise ValueError("either `schema` or `schema_field`")
            return self

    def check_row(self, reference: str, row: Mapping[str, Any], options: Any) -> None:
        """Check the schema, also its references to other schemas as far as the reference answer needs them.

        Raises:
            InvalidInput: If the recipe's schema is not a JSON schema.
            ValueError: If the row's schema is missing or not a JSON schema.
        """
        self.score(reference, reference, row, options)

    def score(self, prediction: str, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        """Return 1.0, or 0.0 and the place of the error in the answer.

        Raises:
            InvalidInput: If the recipe's schema is not a JSON schema.
            ValueError: If the row's schema is missing or not a JSON schema.
        """
        try:
            reason = _check_answer(prediction, _get_schema(row, options), options.extract)
        except ValueError as error:
            if options.inline is None:
                raise
            raise InvalidInput(
                Problem("invalid-value", str(error), "the option `schema`", hint="correct the schema in the recipe")
            ) from error
        return float(reason is None), reason


def _check_answer(prediction: str, schema: Any, with_prose: bool) -> str | None:
    validator = _make_validator(schema)
    value = _parse(prediction)
    if value is NO_JSON and with_prose:
        value = _parse(extract_json(prediction))
    return "is not JSON" if value is NO_JSON else _first_error(validator, value)


def extract_json(answer: str) -> str:
    """Return the first code fence of an answer, or the text from the first bracket to the last matching one."""
    if fenced := FENCED.search(answer):
        return fenced[1]
    opening = re.search(r"[{\[]", answer)
    if opening is None:
        return answer
    return answer[opening.start() : answer.rfind("}" if opening[0] == "{" else "]") + 1]


def _get_schema(row: Mapping[str, Any], options: Any) -> Any:
    if options.inline is not None:
        return options.inline
    schema = row.get(options.schema_field)
    if isinstance(schema, str):
        try:
            return json.loads(schema)
        except ValueError as error:
            raise ValueError(f"`{options.schema_field}` is not JSON: {error}") from error
    if not isinstance(schema, dict | bool):
        raise ValueError(f"the row has no schema in `{options.schema_field}`")
    return schema


def _make_validator(schema: Any) -> Any:
    """Return a validator for the draft that the schema names, or the newest. References are not downloaded."""
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Registry

    cls = validator_for(schema, default=Draft202012Validator)
    try:
        cls.check_schema(schema)
    except SchemaError as error:
        raise ValueError(_shorten(f"it is not a JSON schema: at {error.json_path} {error.message}")) from error
    return cls(schema, registry=Registry())


def _parse(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        return NO_JSON


def _reject_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _first_error(validator: Any, value: Any) -> str | None:
    """Return the most relevant error, or None.

    Raises:
        ValueError: If the schema has a reference that is not in the schema.
    """
    from jsonschema.exceptions import best_match
    from referencing.exceptions import Unresolvable

    try:
        error = best_match(validator.iter_errors(value))
    except RecursionError:
        return "is nested too deeply"
    except Unresolvable as unresolvable:
        raise ValueError(_shorten(f"the schema has an unknown reference: {unresolvable}")) from unresolvable
    return None if error is None else _shorten(f"at {error.json_path}: {error.message}")


def _shorten(text: str) -> str:
    return " ".join(text.split())[:REASON_CHARACTERS]
