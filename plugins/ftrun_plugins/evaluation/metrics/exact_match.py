"""Scores an answer that must say exactly what the reference says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ftrun.api.rows import Options as BaseOptions


class ExactMatch:
    """Fraction of answers that equal the reference."""

    name: ClassVar[str] = "exact_match"
    needs: ClassVar[str] = "predictions"
    higher_is_better: ClassVar[bool] = True

    class Options(BaseOptions):
        """What does not count as a difference."""

        ignore_case: bool = False
        ignore_whitespace: bool = True  # at both ends, and how much of it stands between words

    def score(self, prediction: str, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        equal = _plain(prediction, options) == _plain(reference, options)
        return (1.0, None) if equal else (0.0, "differs from the reference")


def _plain(text: str, options: ExactMatch.Options) -> str:
    if options.ignore_whitespace:
        text = " ".join(text.split())
    return text.casefold() if options.ignore_case else text
