"""Scores whether an answer matches a pattern, in a time that grows only with its length."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ftrun.api.rows import Options as BaseOptions
from ftrun.utils.safe_regex import search

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
                try:
                    _compiled(self.pattern, self.match, self.ignore_case)
                except ValueError as error:
                    raise ValueError(f"a pattern that can be read; of this one: {error}") from None
            return self

    def score(self, prediction: str, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        """Returns 1.0, or 0.0 and why. Raises `ValueError` where the row's pattern is missing, or is none."""
        pattern = _pattern(row, options)
        try:
            matching = _compiled(pattern, options.match, options.ignore_case)
        except ValueError as error:
            raise ValueError(f"`{options.pattern_field}` is no pattern that can be read: {error}") from None
        matches = matching(prediction)
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


def _compiled(pattern: str, match: str, ignore_case: bool) -> Callable[[str], bool]:
    """Raises `ValueError` with the engine's reason."""
    search(pattern)  # by itself: what is put around it must not mend it, nor stand in a message
    flags = "(?i)" if ignore_case else ""
    return search(rf"{flags}\A(?:{pattern})\z" if match == "full" else flags + pattern)
