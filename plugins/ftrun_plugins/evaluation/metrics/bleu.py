"""Scores an answer by the runs of words that it shares with the reference, as sacreBLEU counts them in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Literal

from ftrun.api.rows import Options as BaseOptions


class Bleu:
    """Mean sentence BLEU, from 0 to 100; a short answer is measured by the runs that it is long enough for.

    The mean of sentences is not the corpus BLEU of papers: it is what can be paired row by row.
    """

    name: ClassVar[str] = "bleu"
    needs: ClassVar[str] = "predictions"
    higher_is_better: ClassVar[bool] = True
    environment: ClassVar[str] = "server_cpu"

    class Options(BaseOptions):
        """How sacreBLEU finds words, and whether their case counts."""

        tokenize: Literal["13a", "intl", "zh", "char", "none"] = "13a"
        lowercase: bool = False

    def score(self, prediction: str, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        """The score. Raises `ValueError` where the reference is empty."""
        if not reference.strip():
            raise ValueError("the reference is empty")
        found = _metric(options.tokenize, options.lowercase).sentence_score(prediction, [reference])
        score = round(found.score, 6)
        precisions = "/".join(f"{precision:.0f}" for precision in found.precisions)
        return score, None if score == 100 else f"precisions {precisions}, brevity penalty {found.bp:.2f}"


@cache
def _metric(tokenize: str, lowercase: bool) -> Any:
    from sacrebleu.metrics import BLEU

    return BLEU(tokenize=tokenize, lowercase=lowercase, effective_order=True)
