"""Escapes for characters that are not visible: line ends, tabs, outer spaces and control characters."""

from __future__ import annotations

import unicodedata

END = "↵"  # shown before each line end
TAB = "⇥"
SPACE = "·"
JOINERS = "\u200c\u200d"  # between letters and in emoji
HIDDEN = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs")  # Unicode categories of characters without a glyph
MAX_CHARACTERS = 1500  # of one piece, unless --full is given


def escape(text: str) -> str:
    """Return the text of one piece with visible characters only. Spaces at its ends become dots."""
    inside = text.strip(" ")
    if not inside:
        return SPACE * len(text)
    before, after = len(text) - len(text.lstrip(" ")), len(text) - len(text.rstrip(" "))
    return SPACE * before + "".join(map(_escape_character, inside)) + SPACE * after


def shorten(text: str) -> str:
    """Return a long piece without its middle, with the number of omitted characters."""
    if len(text) <= MAX_CHARACTERS:
        return text
    half = MAX_CHARACTERS // 2
    return f"{text[:half]} […{len(text) - 2 * half:,} characters…] {text[-half:]}"


def _escape_character(letter: str) -> str:
    if letter == "\n":
        return f"{END}\n"
    if letter == "\t":
        return TAB
    if letter == " " or letter in JOINERS or unicodedata.category(letter) not in HIDDEN:
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
