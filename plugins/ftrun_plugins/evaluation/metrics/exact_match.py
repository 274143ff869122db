"""Evaluator `exact_match`: answers that have to equal the reference."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from ftrun.api.rows import Options as BaseOptions


class ExactMatch:
    """Fraction of answers that equal the reference."""

    name: ClassVar[str] = "exact_match"
    needs: ClassVar[str] = "predictions"
    higher_is_better: ClassVar[bool] = True

    class Options(BaseOptions):
        """Differences to ignore."""

        unicode: Literal["nfc", "nfkc"] | None = "nfc"
        """Unicode normalization. `nfc`: composed and decomposed letters are equal. `nfkc`: wide and narrow ones too."""
        ignore_case: bool = False
        """Ignore the case of letters."""
        ignore_whitespace: bool = True
        """Ignore whitespace at both ends, and the amount of whitespace between words."""

    def score(self, prediction: str, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        """Return 1.0 if the answer equals the reference, else 0.0 and a reason."""
        equal = _normalize(prediction, options) == _normalize(reference, options)
        return (1.0, None) if equal else (0.0, "differs from the reference")


def _normalize(text: str, options: ExactMatch.Options) -> str:
    if options.ignore_case:
        text = _normalize_unicode(text, options.unicode).casefold()  # which may decompose letters
    text = _normalize_unicode(text, options.unicode)
    return " ".join(text.split()) if options.ignore_whitespace else text


def _normalize_unicode(text: str, form: str | None) -> str:
    match form:
        case "nfc":
            return unicodedata.normalize("NFC", text)
        case "nfkc":
            return unicodedata.normalize("NFKC", text)
    return text
