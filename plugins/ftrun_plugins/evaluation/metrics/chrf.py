"""Scores an answer by the runs of characters that it shares with the reference: for any script, for rich morphology."""

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
        """How long the runs of words may be that count beside those of characters: 0 is chrF, 2 is chrF++."""

        word_order: int = Field(default=0, ge=0, le=4)
        lowercase: bool = False

    def score(self, prediction: str, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        """The score. Raises `ValueError` where the reference is empty."""
        if not reference.strip():
            raise ValueError("the reference is empty")
        found = _metric(options.word_order, options.lowercase).sentence_score(prediction, [reference])
        return round(found.score, 6), None


@cache
def _metric(word_order: int, lowercase: bool) -> Any:
    from sacrebleu.metrics import CHRF

    return CHRF(word_order=word_order, lowercase=lowercase)
