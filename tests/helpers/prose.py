"""Find docstrings, comments, messages and pages that break the rules of CONTRIBUTING.md for plain language.

python tests/helpers/prose.py PATH...      lists what is found below these paths
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

QUESTION = re.compile(r"(what|whether|where|why|who|whose|whom|how|of|whoever|whatever)\b", re.IGNORECASE)
# Words that stand in for a plain one, and the plain one.
STAND_INS = {
    "continue": re.compile(r"\b(go|goes|going|went|gone) on\b(?! with the lock)", re.IGNORECASE),
    "report": re.compile(r"\b(tell|tells|telling|told)\b", re.IGNORECASE),
    "fix": re.compile(r"\bmend(s|ed|ing)?\b", re.IGNORECASE),
    "if": re.compile(
        r"\bwhere (there (is|are|was|were)|it (is|has|can|was)|they (are|have)|that|this|no|none|nothing|one|neither)\b"
        r"|\b(None|nothing|false|true|empty|only|raises|else|except|also) where\b",
        re.IGNORECASE,
    ),
    "because": re.compile(
        r"[,;:] for (it|they|there|that|this|those|these|no|what|some|most|the|a) \w+ (is|are|has|have|may|can|would)\b"
    ),
    "say who it is": re.compile(r"\b(whoever|whatever|somebody|nobody|anybody)\b", re.IGNORECASE),
    "its": re.compile(r"\bof (its|their|our|ours|one's|his|theirs) own\b", re.IGNORECASE),
    "now": re.compile(r"\bby now\b", re.IGNORECASE),
    "ask for, request": re.compile(r"\b(is|are|was|were|be) asked\b", re.IGNORECASE),
}


class Remark(NamedTuple):
    """One break of a rule; `instead` is the plain word."""

    file: Path
    line: int
    text: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.instead!r} instead of: {self.text}"


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and first line of each docstring."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node.body[0].lineno, text.partition("\n")[0]


def prose_of(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each comment and string of a Python file."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            for number, line in enumerate(token.string.splitlines()):
                yield token.start[0] + number, line


def stand_ins(file: Path) -> Iterator[Remark]:
    """Yield the stand-ins in a Python file or a page."""
    text = file.read_text(encoding="utf-8")
    for number, line in prose_of(text) if file.suffix == ".py" else enumerate(text.splitlines(), 1):
        for instead, pattern in STAND_INS.items():
            for found in pattern.finditer(line):
                yield Remark(file, number, line[max(0, found.start() - 30) : found.end() + 30].strip(), instead)


def questions(file: Path) -> Iterator[Remark]:
    """Yield the docstrings that begin with a question word."""
    for number, line in docstrings(file.read_text(encoding="utf-8")):
        if QUESTION.match(line):
            yield Remark(file, number, line[:80], "an imperative or a noun phrase")


def files_below(*places: Path) -> list[Path]:
    """Return the Python files and pages below these places."""
    found = [path for place in places for path in ([place] if place.is_file() else sorted(place.rglob("*")))]
    return [path for path in found if path.suffix in (".py", ".md") and path.is_file()]


def main() -> int:
    """Print what is found; return 1 if anything is."""
    files = files_below(*map(Path, sys.argv[1:]))
    remarks = [remark for file in files for remark in stand_ins(file)]
    remarks += [remark for file in files if file.suffix == ".py" for remark in questions(file)]
    print("\n".join(map(str, remarks)))
    return int(bool(remarks))


if __name__ == "__main__":
    sys.exit(main())
