"""Evaluator `rouge`: words that an answer shares with the reference."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from pydantic import Field

from ftrun.api.rows import Options as BaseOptions

WORD = re.compile(r"[a-z0-9]")


class Rouge:
    """Mean F-measure of ROUGE, from 0 to 1."""

    name: ClassVar[str] = "rouge"
    needs: ClassVar[str] = "predictions"
    higher_is_better: ClassVar[bool] = True
    environment: ClassVar[str] = "server_cpu"

    class Options(BaseOptions):
        """Kind of ROUGE: n-grams (1 to 9), or longest common subsequence of the text (L) or of each line (Lsum)."""

        type: str = Field(default="rougeL", pattern="^rouge([1-9]|L|Lsum)$")
        """Unit: word n-grams (`rouge1` to `rouge9`), longest common subsequence (`rougeL`, per line: `rougeLsum`)."""
        use_stemmer: bool = False
        """Compare the stems of English words, so that `plans` equals `planned`."""

    def check_row(self, reference: str, row: Mapping[str, Any], options: Any) -> None:
        """Check the reference.

        Raises:
            ValueError: If the reference has no word that ROUGE reads.
        """
        if not WORD.search(reference.lower()):
            raise ValueError("the reference has no word that ROUGE reads: it reads only Latin letters and digits")

    def score(self, prediction: str, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        """Return the F-measure, and precision and recall.

        Raises:
            ValueError: If the reference has no word that ROUGE reads.
        """
        self.check_row(reference, row, options)
        result = _scorer(options.type, options.use_stemmer).score(reference, prediction)[options.type]
        perfect = result.fmeasure == 1
        return result.fmeasure, None if perfect else f"precision {result.precision:.2f}, recall {result.recall:.2f}"


@cache
def _scorer(kind: str, use_stemmer: bool) -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer([kind], use_stemmer=use_stemmer)
