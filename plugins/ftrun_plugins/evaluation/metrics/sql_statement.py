"""SQL in the answers of models: the statement among thoughts, prose and code."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ftrun_plugins.evaluation.metrics.thoughts import remove_thoughts

# The word after the backticks names the language, unless it begins the statement.
FENCED = re.compile(r"```((?!SELECT|WITH)\w*[ \t]*(?=\n)|\w*SQL\w*\b)?(.*?)(?:```|\Z)", re.DOTALL | re.IGNORECASE)
TAGGED = re.compile(r"\[SQL\](.*?)(?:\[/SQL\]|\Z)", re.DOTALL | re.IGNORECASE)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
QUERY = r"(?:SELECT\b|VALUES\s*\(|WITH\s+(?:RECURSIVE\s+)?[\w\"]+\s*(?:\([^()]*\)\s*)?AS\b)"
QUERY_START = re.compile(rf"(?:^|:)[ \t]*(?={QUERY})", re.MULTILINE | re.IGNORECASE)
# Possessive, because comments could else be divided in exponentially many ways.
QUERY_ONLY = re.compile(rf"(?>\s|--[^\n]*\n|/\*.*?\*/)*+{QUERY}\s*\S", re.DOTALL | re.IGNORECASE)
ANOTHER_STATEMENT = re.compile(
    r"\s*(?:SELECT|WITH|VALUES|INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|ATTACH|PRAGMA|BEGIN|COMMIT)\b",
    re.IGNORECASE,
)
# Quoted text and comments come first, so that their content is not read as SQL. They may have no end.
QUOTED = r"""'[^']*(?:'|\Z)|"[^"]*(?:"|\Z)|`[^`]*(?:`|\Z)|\[[^\]]*(?:\]|\Z)|--[^\n]*|/\*.*?(?:\*/|\Z)"""
TOKEN = re.compile(rf"{QUOTED}|[();]|\n[ \t]*\n|\bORDER\s+BY\b", re.DOTALL | re.IGNORECASE)


def extract_statement(answer: str) -> str:
    """Return the SQL of an answer, without the thoughts and the prose around it.

    A second statement stays in the text, so that `execute` rejects it.
    """
    text = _find_statement(remove_thoughts(answer))
    for token in TOKEN.finditer(text):
        if token[0] == ";" and not ANOTHER_STATEMENT.match(text, token.end()):
            return text[: token.start()].strip()
    return text.strip()


def _find_statement(answer: str) -> str:
    """Return the last query in [SQL] tags or code fences, else the longest in inline code, else that among prose.

    A fence may hold something else than the query: tables, or the result that is expected.
    """
    tagged = TAGGED.findall(answer)
    fences = [(label.lower(), text) for label, text in FENCED.findall(answer)]
    labelled = [text for label, text in fences if "sql" in label]
    for texts in (tagged, labelled, [text for _, text in fences]):
        if queries := [text for text in texts if QUERY_ONLY.match(text)]:
            return str(queries[-1])
    prose = FENCED.split(answer)[::3] if fences else [answer]
    marked = next(iter([*tagged, *labelled, *(text for _, text in fences)]), None)
    return _find_in_prose(prose, marked)


def _find_in_prose(pieces: Sequence[str], marked: str | None) -> str:
    """Return the query in the pieces of prose, else the text that is marked as code, else all prose."""
    for piece in pieces:
        spans = [] if QUERY_ONLY.match(piece) else [text for text in INLINE.findall(piece) if QUERY_ONLY.match(text)]
        if spans:
            return str(max(spans, key=len))
        if start := QUERY_START.search(piece):
            return cut_at_blank_line(piece[start.end() :])
    return cut_at_blank_line(pieces[0]) if marked is None else marked


def cut_at_blank_line(text: str) -> str:
    """Return the text before the first blank line outside quotes, because prose follows there."""
    text = text.strip()
    ends = (token.start() for token in TOKEN.finditer(text) if not token[0].strip())
    return text[: next(ends, len(text))]


def is_ordered(statement: str) -> bool:
    """Return whether the statement has an ORDER BY outside parentheses."""
    depth = 0
    for token in TOKEN.finditer(statement):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if depth == 0 and token[0][:5].upper() == "ORDER":
            return True
    return False
