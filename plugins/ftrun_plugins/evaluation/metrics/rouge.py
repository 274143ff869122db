"""Scores an answer by the words that it shares with the reference, as ROUGE counts them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from pydantic import Field

from ftrun.api.rows import Options as BaseOptions

READ = re.compile(r"[a-z0-9]")


class Rouge:
    """Mean F-measure of ROUGE, from 0 to 1."""

    name: ClassVar[str] = "rouge"
    needs: ClassVar[str] = "predictions"
    higher_is_better: ClassVar[bool] = True
    environment: ClassVar[str] = "server_cpu"

    class Options(BaseOptions):
        """What is counted: runs of so many words, or the longest common subsequence (of each line: Lsum)."""

        type: str = Field(default="rougeL", pattern="^rouge([1-9]|L|Lsum)$")
        use_stemmer: bool = False  # `plans` equals `planned`; English

    def score(self, prediction: str, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        """The F-measure. Raises `ValueError` where the reference has no word that ROUGE reads."""
        if not READ.search(reference.lower()):
            raise ValueError("the reference has no word that ROUGE reads: it knows Latin letters and digits only")
        found = _scorer(options.type, options.use_stemmer).score(reference, prediction)[options.type]
        perfect = found.fmeasure == 1
        return found.fmeasure, None if perfect else f"precision {found.precision:.2f}, recall {found.recall:.2f}"


@cache
def _scorer(kind: str, use_stemmer: bool) -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer([kind], use_stemmer=use_stemmer)
