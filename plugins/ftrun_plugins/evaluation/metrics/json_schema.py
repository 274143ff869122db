"""Evaluator `json_schema`: answers that have to be JSON that a JSON schema accepts.

An answer is hostile input: JSON that is nested too deeply or not strictly valid (`NaN`) scores 0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, NoReturn, Self

from pydantic import Field, model_validator

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.rows import Options as BaseOptions
from ftrun_plugins.evaluation.metrics.thoughts import remove_thoughts

FENCED = re.compile(r"```(?:json\b|\w*[ \t]*\n)?(.*?)(?:```|\Z)", re.DOTALL | re.IGNORECASE)
BRACKET = re.compile(r"[{\[]")
MOST_ATTEMPTS = 100  # brackets of a text at which no JSON begins; bounds the time
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
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
        """Extract the JSON from thoughts, surrounding text and code fences."""
        check_formats: bool = True
        """Check `format` for the formats `date`, `time`, `date-time`, `email`, `ipv4`, `ipv6`, `regex` and `uuid`."""

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
            validator = _make_validator(_get_schema(row, options), options.check_formats)
            reason = _check_answer(prediction, validator, options.extract)
        except ValueError as error:
            if options.inline is None:
                raise
            raise InvalidInput(
                Problem("invalid-value", str(error), "the option `schema`", hint="correct the schema in the recipe")
            ) from error
        return float(reason is None), reason


def _check_answer(prediction: str, validator: Any, with_prose: bool) -> str | None:
    value = _parse(prediction)
    if value is NO_JSON and with_prose:
        value = extract_json(remove_thoughts(prediction))
    return "is not JSON" if value is NO_JSON else _first_error(validator, value)


def extract_json(answer: str) -> Any:
    """Return the JSON value of the last code fence that has one, else the longest object or list in the text.

    The text around the JSON may contain brackets too.
    """
    fenced = (_parse(text) for text in reversed(FENCED.findall(answer)))
    value = next((value for value in fenced if value is not NO_JSON), NO_JSON)
    return _find_longest(answer) if value is NO_JSON else value


def _find_longest(text: str) -> Any:
    decoder = json.JSONDecoder(parse_constant=_reject_constant)
    longest, value, failures, bracket = 0, NO_JSON, 0, BRACKET.search(text)
    while bracket and failures < MOST_ATTEMPTS:
        start = end = bracket.start()
        try:
            found, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            failures += 1
        if end - start > longest:
            longest, value = end - start, found
        bracket = BRACKET.search(text, max(end, start + 1))
    return value


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


def _make_validator(schema: Any, check_formats: bool) -> Any:
    """Return a validator for the draft that the schema names, or the newest. References are not downloaded."""
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Registry

    cls = validator_for(schema, default=Draft202012Validator)
    try:
        cls.check_schema(schema)
    except SchemaError as error:
        raise ValueError(_shorten(f"it is not a JSON schema: at {error.json_path} {error.message}")) from error
    return cls(schema, registry=Registry(), format_checker=_make_format_checker() if check_formats else None)


@cache
def _make_format_checker() -> Any:
    """Return a checker of formats that needs no further packages."""
    from jsonschema import FormatChecker

    checker = FormatChecker(("date", "email", "ipv4", "ipv6", "regex", "uuid"))
    checker.checks("date-time", ValueError)(_is_date_time)
    checker.checks("time", ValueError)(
        lambda text: _is_date_time(f"2000-01-01T{text}" if isinstance(text, str) else text)
    )
    return checker


def _is_date_time(text: object) -> bool:
    """Return whether a text is a date with a time and an offset, as RFC 3339 requires. Other values have no format."""
    if not isinstance(text, str):
        return True
    return DATE_TIME.fullmatch(text) is not None and datetime.fromisoformat(text.upper()).tzinfo is not None


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
