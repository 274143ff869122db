"""Scores whether an answer matches a pattern, in a time that grows only with its length.

Patterns are read by the engine that pydantic brings, Rust's: Python's own could be kept busy for hours by one answer.
It knows neither look-around nor backreferences; flags stand in the pattern, as in `(?s)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError, model_validator
from pydantic_core import SchemaError

from ftrun.examples import Options as BaseOptions

LONGEST = 10_000  # characters of a pattern


class Regex:
    """Fraction of answers that match a pattern."""

    name: ClassVar[str] = "regex"
    needs: ClassVar[str] = "predictions"
    higher_is_better: ClassVar[bool] = True

    class Options(BaseOptions):
        """The pattern, or the column of the row that holds it, and how much of the answer has to match."""

        pattern: str | None = Field(default=None, min_length=1, max_length=LONGEST)
        pattern_field: str | None = None
        match: Literal["search", "full"] = "search"
        ignore_case: bool = False
        negate: bool = False  # 1 for an answer that does not match

        @model_validator(mode="after")
        def _one_of_both(self) -> Self:
            if (self.pattern is None) == (self.pattern_field is None):
                raise ValueError("either `pattern` or `pattern_field`")
            if self.pattern is not None:
                _compiled(self.pattern, self.match, self.ignore_case)
            return self

    def score(self, prediction: str, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        """Returns 1.0, or 0.0 and why. Raises `ValueError` where the row's pattern is missing, or is none."""
        matches = _matches(prediction, _compiled(_pattern(row, options), options.match, options.ignore_case))
        if matches != options.negate:
            return 1.0, None
        return 0.0, "matches the pattern" if matches else "does not match the pattern"


def _pattern(row: Mapping[str, Any], options: Any) -> str:
    if options.pattern is not None:
        return str(options.pattern)
    pattern = row.get(options.pattern_field)
    if not isinstance(pattern, str) or not pattern:
        raise ValueError(f"the row has no pattern in `{options.pattern_field}`")
    if len(pattern) > LONGEST:
        raise ValueError(f"the pattern in `{options.pattern_field}` is longer than {LONGEST:,} characters")
    return pattern


def _matches(text: str, compiled: TypeAdapter[str]) -> bool:
    try:
        compiled.validate_python(text)
    except ValidationError:
        return False
    return True


@cache
def _compiled(pattern: str, match: str, ignore_case: bool) -> TypeAdapter[str]:
    _read(pattern)  # by itself: what is put around it must not mend it, nor stand in a message
    flags = "(?i)" if ignore_case else ""
    return _read(rf"{flags}\A(?:{pattern})\z" if match == "full" else flags + pattern)


def _read(pattern: str) -> TypeAdapter[str]:
    try:
        return TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
    except SchemaError as error:
        reason = str(error).strip().splitlines()[-1].removeprefix("error: ").removeprefix("SchemaError: ").strip(" .")
        raise ValueError(f"no pattern that can be read: {reason}") from None
