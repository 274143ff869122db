"""Evaluator `bleu`: sentence BLEU, computed by sacreBLEU."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Literal

from ftrun.api.rows import Options as BaseOptions


class Bleu:
    """Mean sentence BLEU, from 0 to 100. Short answers use only the n-grams that they are long enough for.

    The mean over sentences is not the corpus BLEU of papers. It is used because its scores can be paired by row.
    """

    name: ClassVar[str] = "bleu"
    needs: ClassVar[str] = "predictions"
    higher_is_better: ClassVar[bool] = True
    environment: ClassVar[str] = "server_cpu"

    class Options(BaseOptions):
        """Tokenization and case of words in sacreBLEU."""

        tokenize: Literal["13a", "intl", "zh", "char", "none"] = "13a"
        """Tokenizer of sacreBLEU that splits texts into words."""
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
        """Return the BLEU of an answer, and its precisions.

        Raises:
            ValueError: If the reference is empty.
        """
        self.check_row(reference, row, options)
        result = _metric(options.tokenize, options.lowercase).sentence_score(prediction, [reference])
        score = round(result.score, 6)
        precisions = "/".join(f"{precision:.0f}" for precision in result.precisions)
        return score, None if score == 100 else f"precisions {precisions}, brevity penalty {result.bp:.2f}"


@cache
def _metric(tokenize: str, lowercase: bool) -> Any:
    from sacrebleu.metrics import BLEU

    return BLEU(tokenize=tokenize, lowercase=lowercase, effective_order=True)
