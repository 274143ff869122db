"""Makes text visible as it is: ends of lines, tabs, outer spaces, and what a terminal obeys in place of showing it."""

from __future__ import annotations

import unicodedata

END = "↵"  # shown before each end of a line
TAB = "⇥"
SPACE = "·"
JOINERS = "\u200c\u200d"  # between letters, and inside of emoji
HIDDEN = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs")  # Unicode's categories of what has no shape
MOST = 1500  # characters of one piece that are shown where nothing is said to be full


def escape(text: str) -> str:
    """The text of one piece. Spaces inside of it stay as they are; those at its ends are dots."""
    inside = text.strip(" ")
    if not inside:
        return SPACE * len(text)
    before, after = len(text) - len(text.lstrip(" ")), len(text) - len(text.rstrip(" "))
    return SPACE * before + "".join(map(_shown, inside)) + SPACE * after


def shortened(text: str) -> str:
    """A long piece without its middle, which is counted."""
    if len(text) <= MOST:
        return text
    half = MOST // 2
    return f"{text[:half]} […{len(text) - 2 * half:,} characters…] {text[-half:]}"


def _shown(letter: str) -> str:
    if letter == "\n":
        return f"{END}\n"
    if letter == "\t":
        return TAB
    if letter == " " or letter in JOINERS or unicodedata.category(letter) not in HIDDEN:
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
