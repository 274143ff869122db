"""Evaluator `chrf`: character n-grams, for all scripts and for languages with rich morphology."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from pydantic import Field

from ftrun.api.rows import Options as BaseOptions


class Chrf:
    """Mean sentence chrF, from 0 to 100."""

    name: ClassVar[str] = "chrf"
    needs: ClassVar[str] = "predictions"
    higher_is_better: ClassVar[bool] = True
    environment: ClassVar[str] = "server_cpu"

    class Options(BaseOptions):
        """Order of word n-grams, which count besides those of characters (0 is chrF, 2 is chrF++), and case."""

        word_order: int = Field(default=0, ge=0, le=4)
        """Maximum length of word n-grams, which count besides character n-grams. 0 is chrF, 2 is chrF++."""
        lowercase: bool = False
        """Ignore the case of letters."""

    def check_row(self, reference: str, row: Mapping[str, Any], options: Any) -> None:
        """Check the reference.

        Raises:
            ValueError: If the reference is empty.
        """
        if not reference.strip():
            raise ValueError("the reference is empty")

    def score(self, prediction: str, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        """Return the chrF of an answer.

        Raises:
            ValueError: If the reference is empty.
        """
        self.check_row(reference, row, options)
        result = _metric(options.word_order, options.lowercase).sentence_score(prediction, [reference])
        return round(result.score, 6), None


@cache
def _metric(word_order: int, lowercase: bool) -> Any:
    from sacrebleu.metrics import CHRF

    return CHRF(word_order=word_order, lowercase=lowercase)
