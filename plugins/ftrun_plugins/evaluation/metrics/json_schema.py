"""Scores answers that have to be JSON of a certain shape: whether they parse, and whether a JSON schema accepts them.

An answer is hostile input: JSON that is nested too deeply, or is none by the letter (`NaN`), scores 0.
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
        """The schema, or the column of the row that holds it, as a mapping or as text."""

        inline: dict[str, Any] | None = Field(default=None, alias="schema")  # a name that pydantic has taken
        schema_field: str | None = None
        extract: bool = True  # without the prose or the fence around it

        @model_validator(mode="after")
        def _one_of_both(self) -> Self:
            if (self.inline is None) == (self.schema_field is None):
                raise ValueError("either `schema` or `schema_field`")
            return self

    def score(self, prediction: str, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        """Returns 1.0, or 0.0 and where the answer does not fit.

        Raises:
            InvalidInput: The recipe's schema is none.
            ValueError: The row's schema is missing, or is none.
        """
        try:
            reason = _reason(prediction, _schema(row, options), options.extract)
        except ValueError as error:
            if options.inline is None:
                raise
            raise InvalidInput(
                Problem("invalid-value", str(error), "the option `schema`", hint="mend it in the recipe")
            ) from error
        return float(reason is None), reason


def _reason(prediction: str, schema: Any, extracts: bool) -> str | None:
    validator = _validator(schema)
    value = _parsed(prediction)
    if value is NO_JSON and extracts:
        value = _parsed(extract(prediction))
    return "is no JSON" if value is NO_JSON else _first_error(validator, value)


def extract(answer: str) -> str:
    """What is in the first code fence; without one, from the first bracket to the last that may close it."""
    if fenced := FENCED.search(answer):
        return fenced[1]
    opening = re.search(r"[{\[]", answer)
    if opening is None:
        return answer
    return answer[opening.start() : answer.rfind("}" if opening[0] == "{" else "]") + 1]


def _schema(row: Mapping[str, Any], options: Any) -> Any:
    if options.inline is not None:
        return options.inline
    schema = row.get(options.schema_field)
    if isinstance(schema, str):
        try:
            return json.loads(schema)
        except ValueError as error:
            raise ValueError(f"`{options.schema_field}` is no JSON: {error}") from error
    if not isinstance(schema, dict | bool):
        raise ValueError(f"the row has no schema in `{options.schema_field}`")
    return schema


def _validator(schema: Any) -> Any:
    """Checks by the draft that the schema names, else by the newest; nothing that it refers to is downloaded."""
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Registry

    cls = validator_for(schema, default=Draft202012Validator)
    try:
        cls.check_schema(schema)
    except SchemaError as error:
        raise ValueError(_short(f"it is no JSON schema: at {error.json_path} {error.message}")) from error
    return cls(schema, registry=Registry())


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return NO_JSON


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _first_error(validator: Any, value: Any) -> str | None:
    """The error that says most. Raises `ValueError` where the schema refers to what is not in it."""
    from jsonschema.exceptions import best_match
    from referencing.exceptions import Unresolvable

    try:
        error = best_match(validator.iter_errors(value))
    except RecursionError:
        return "is nested too deeply"
    except Unresolvable as unresolvable:
        raise ValueError(_short(f"the schema refers to what is not in it: {unresolvable}")) from unresolvable
    return None if error is None else _short(f"at {error.json_path}: {error.message}")


def _short(text: str) -> str:
    return " ".join(text.split())[:REASON_CHARACTERS]
