"""Evaluator `regex`: answers that match a pattern, in time linear in the length of the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ftrun.api.rows import Options as BaseOptions
from ftrun.utils.safe_regex import search

MAX_LENGTH = 10_000  # characters of a pattern


class Regex:
    """Fraction of answers that match a pattern."""

    name: ClassVar[str] = "regex"
    needs: ClassVar[str] = "predictions"
    higher_is_better: ClassVar[bool] = True

    class Options(BaseOptions):
        """The pattern, or the column that contains it, and the part of the answer that has to match."""

        pattern: str | None = Field(default=None, min_length=1, max_length=MAX_LENGTH)
        """Regular expression for all rows, in the syntax of Rust's `regex`. Set this or `pattern_field`."""
        pattern_field: str | None = None
        """Name of the column with the regular expression of each row. Set this or `pattern`."""
        match: Literal["search", "full"] = "search"
        """Part of the answer that has to match: `search` for any part, `full` for the whole answer."""
        ignore_case: bool = False
        """Ignore the case of letters."""
        negate: bool = False
        """Give score 1 to an answer that does not match, and 0 to one that does."""

        @model_validator(mode="after")
        def _check_alternatives(self) -> Self:
            if (self.pattern is None) == (self.pattern_field is None):
                raise ValueError("either `pattern` or `pattern_field`")
            if self.pattern is not None:
                try:
                    _compile(self.pattern, self.match, self.ignore_case)
                except ValueError as error:
                    raise ValueError(f"a valid pattern; this pattern has an error: {error}") from None
            return self

    def check_row(self, reference: str, row: Mapping[str, Any], options: Any) -> None:
        """Check the row's pattern.

        Raises:
            ValueError: If the row's pattern is missing or invalid.
        """
        _make_test(row, options)

    def score(self, prediction: str, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        """Return 1.0, or 0.0 and a reason.

        Raises:
            ValueError: If the row's pattern is missing or invalid.
        """
        matches = _make_test(row, options)(prediction)
        if matches != options.negate:
            return 1.0, None
        return 0.0, "matches the pattern" if matches else "does not match the pattern"


def _make_test(row: Mapping[str, Any], options: Any) -> Callable[[str], bool]:
    pattern = _get_pattern(row, options)
    try:
        return _compile(pattern, options.match, options.ignore_case)
    except ValueError as error:
        raise ValueError(f"`{options.pattern_field}` is not a valid pattern: {error}") from None


def _get_pattern(row: Mapping[str, Any], options: Any) -> str:
    if options.pattern is not None:
        return str(options.pattern)
    pattern = row.get(options.pattern_field)
    if not isinstance(pattern, str) or not pattern:
        raise ValueError(f"the row has no pattern in `{options.pattern_field}`")
    if len(pattern) > MAX_LENGTH:
        raise ValueError(f"the pattern in `{options.pattern_field}` is longer than {MAX_LENGTH:,} characters")
    return pattern


def _compile(pattern: str, match: str, ignore_case: bool) -> Callable[[str], bool]:
    """Return a function that tests if a text matches the pattern.

    Raises:
        ValueError: If the pattern is invalid, with the reason of the regex engine.
    """
    search(pattern)  # without the additions below, which could make it valid or appear in the message
    flags = "(?i)" if ignore_case else ""
    if match == "search":
        return search(flags + pattern)
    try:
        return search(rf"{flags}\A(?:{pattern})\z")
    except ValueError:  # with the flag `x`, a comment at the end of the pattern hides the bracket
        return search(f"{flags}\\A(?:{pattern}\n)\\z")
