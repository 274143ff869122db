"""Splitting of a command line that is still being typed."""

from __future__ import annotations


def split(line: str) -> list[str]:
    """Split a line into words as a shell does. Quotes may be open. The last word is being typed and may be empty."""
    words, word, quote, escaped, inside = [], "", "", False, False
    for letter in line:
        if escaped:
            word, escaped = word + letter, False
        elif letter == "\\" and quote != "'":
            escaped = inside = True
        elif quote:
            quote, word = ("", word) if letter == quote else (quote, word + letter)
        elif letter in "'\"":
            quote, inside = letter, True
        elif not letter.isspace():
            word, inside = word + letter, True
        elif inside:
            words.append(word)
            word, inside = "", False
    return [*words, word]


def current_word(words: list[str]) -> str:
    """Return the word that is being typed."""
    return words[-1] if words else ""
