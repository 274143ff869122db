"""Normalization of texts: two texts that differ only in case, white space, punctuation or Unicode forms become equal.

Signs that change the meaning of a formula or of code, such as `+`, `-`, `<` and `=`, stay.
"""

from __future__ import annotations

import re
import unicodedata

PUNCTUATION = b".,;:!?\"'`()[]{}"
SPACES = bytes.maketrans(PUNCTUATION, b" " * len(PUNCTUATION))
TYPOGRAPHIC = re.compile(
    "[\u00a1\u00ab\u00b7\u00bb\u00bf\u2018-\u201f\u2026\u2039\u203a\u3001\u3002\u3008-\u3011\u30fb]"
)
DASHES = re.compile("[\u2010-\u2015\u2212]")
RARE = re.compile("[\u00a1\u00ab\u00b7\u00bb\u00bf\u0e00-\u1fff\u2010-\u203a\u2212\u3000-\U0010ffff]")
UNSPACED = re.compile(  # scripts without spaces between words: each character counts as a word
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002ffff])"
)


def normalized_words(text: str) -> list[bytes]:
    """Return the words of a text in their normalized form, encoded in UTF-8."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).casefold()
        if RARE.search(text):  # one pass over the text in place of three
            text = UNSPACED.sub(r" \1 ", DASHES.sub("-", TYPOGRAPHIC.sub(" ", text)))
        return text.encode(errors="replace").translate(SPACES).split()
    return text.encode().lower().translate(SPACES).split()


def normalize_text(text: str) -> bytes:
    """Return the normalized words of a text, with one space between them."""
    return b" ".join(normalized_words(text))
