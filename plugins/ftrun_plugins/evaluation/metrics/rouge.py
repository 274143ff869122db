"""Evaluator `rouge`: words that an answer shares with the reference."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Literal

from pydantic import Field

from ftrun.api.rows import Options as BaseOptions

# Each character of a script that does not divide words is a word.
WORD = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*|"
WORD += r"[[\p{L}\p{M}\p{N}]--[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]]+"
SHORTEST_STEMMED = 4  # characters, as in the tokenizer of the library


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
        tokenize: Literal["unicode", "ascii"] = "unicode"
        """Words: of any script, or only of ASCII letters and digits, as rouge-score finds them."""

    def check_row(self, reference: str, row: Mapping[str, Any], options: Any) -> None:
        """Check the reference.

        Raises:
            ValueError: If the reference has no word that ROUGE reads.
        """
        only_ascii = options.tokenize == "ascii"
        if not any(letter.isalnum() and (letter.isascii() or not only_ascii) for letter in reference):
            raise ValueError("the reference has no word that ROUGE reads")

    def score(self, prediction: str, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        """Return the F-measure, and precision and recall.

        Raises:
            ValueError: If the reference has no word that ROUGE reads.
        """
        self.check_row(reference, row, options)
        scorer = _scorer(options.type, options.use_stemmer, options.tokenize)
        result = scorer.score(reference, prediction)[options.type]
        perfect = result.fmeasure == 1
        return result.fmeasure, None if perfect else f"precision {result.precision:.2f}, recall {result.recall:.2f}"


@cache
def _scorer(kind: str, use_stemmer: bool, tokenize: str) -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    tokenizer = _UnicodeTokenizer(use_stemmer) if tokenize == "unicode" else None
    return RougeScorer([kind], use_stemmer=use_stemmer, tokenizer=tokenizer)


class _UnicodeTokenizer:
    """Tokenizer with the interface of rouge-score. Its words of an ASCII text are those of the library."""

    def __init__(self, use_stemmer: bool) -> None:
        import regex
        from nltk.stem.porter import PorterStemmer

        self._word = regex.compile(WORD, regex.VERSION1)
        self._stem = PorterStemmer().stem if use_stemmer else str

    def tokenize(self, text: str) -> list[str]:
        """Return the words of a text in lower case."""
        words = self._word.findall(unicodedata.normalize("NFC", text.lower()))
        return [self._stem(word) if len(word) >= SHORTEST_STEMMED and word.isascii() else word for word in words]
