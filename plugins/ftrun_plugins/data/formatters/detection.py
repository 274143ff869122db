"""Detection of the shape of a row, for the formatter `auto`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ftrun_plugins.data.formatters.json_text import looks_like_conversation, parse_list

# Columns of a question and its answer, in order of precedence.
PAIRS = (
    ("prompt", "response"),
    ("question", "answer"),
    ("query", "response"),
    ("question", "response"),
    ("prompt", "answer"),
    ("input", "output"),
    ("prompt", "output"),
)


@dataclass(frozen=True)
class Shape:
    """Shape of a row and the formatter that fits it; `what` completes the sentence "each of the rows has …"."""

    formatter: str
    options: tuple[tuple[str, str], ...]
    what: str

    def describe(self) -> str:
        """Return the name and the options of the formatter, as a recipe would set them."""
        return ", ".join((self.formatter, *(f"{name}={value}" for name, value in self.options)))


@dataclass(frozen=True)
class Unclear:
    """Reason why the shape of a row is ambiguous."""

    reason: str


def shape_of(row: Mapping[str, Any]) -> Shape | Unclear | None:
    """Return the shape of a row, or None if it has no known shape.

    Conversations come first, then columns whose names describe their content, and a plain text last. If a row has
    several of these, they usually hold the same content, already rendered for the template of one model.
    """
    shapes = _find_conversations(row)
    if len(shapes) > 1:
        columns = " and ".join(f"`{column}`" for column in shapes)
        return Unclear(f"conversations are in {columns}; `auto` cannot choose one of them")
    if shapes:
        return next(iter(shapes.values()))
    if _is_list(row, "prompt") and _is_list(row, "completion"):
        return Unclear("`prompt` and `completion` are lists of messages; join them in one column `messages`")
    return _detect_segments(row) or _detect_pair(row) or _detect_broken_conversation(row) or _detect_text(row)


def _find_conversations(row: Mapping[str, Any]) -> dict[str, Shape]:
    """Return the shape of each column with a conversation. `prompt` and `completion` are only parts of one."""
    parts = ("prompt", "completion") if _is_list(row, "prompt") and _is_list(row, "completion") else ()
    shapes = {column: _detect_conversation(column, value) for column, value in row.items() if column not in parts}
    return {column: shape for column, shape in shapes.items() if shape is not None}


def _detect_conversation(column: str, value: Any) -> Shape | None:
    if not looks_like_conversation(value):
        return None
    first = parse_list(value, column)[0]
    if "role" in first and ("content" in first or "tool_calls" in first):
        what = f"a list of messages with role and content in `{column}`"
        return Shape("chat", _omit_default("messages", column, "messages"), what)
    if "from" in first and "value" in first:
        what = f"a list of turns with from and value in `{column}`"
        return Shape("sharegpt", _omit_default("conversations", column, "conversations"), what)
    return None


def _omit_default(option: str, column: str, default: str) -> tuple[tuple[str, str], ...]:
    return () if column == default else ((option, column),)


def _detect_pair(row: Mapping[str, Any]) -> Shape | None:
    if _is_string(row, "instruction") and _is_text(row, "output"):
        return Shape("alpaca", (), "texts in `instruction` and `output`")
    if _is_string(row, "prompt") and _is_text(row, "completion"):
        templates = (("prompt", "{prompt}"), ("answer", "{completion}"))
        return Shape("template", templates, "texts in `prompt` and `completion`, joined without a chat template")
    for question, answer in (("instruction", "response"), *PAIRS):
        if _is_string(row, question) and _is_text(row, answer):
            options = (*_omit_default("instruction", question, "instruction"), ("output", answer))
            what = f"texts in `{question}` and `{answer}`, a question and its answer"
            return Shape("alpaca", options, what)
    return None


def _detect_segments(row: Mapping[str, Any]) -> Shape | None:
    for column, value in row.items():
        first = value[0] if type(value) is list and value else None
        if type(first) is dict and first.keys() == {"text", "label"}:
            options = _omit_default("segments", column, "segments")
            return Shape("segments", options, f"a list of texts with labels in `{column}`")
    return None


def _detect_broken_conversation(row: Mapping[str, Any]) -> Unclear | None:
    """Return a reason if a column for a conversation holds a text."""
    for column in ("messages", "conversations"):
        if _is_string(row, column) and row[column].strip():
            return Unclear(f"`{column}` is a string, not a list of messages")
    return None


def _detect_text(row: Mapping[str, Any]) -> Shape | None:
    if _is_string(row, "text"):
        return Shape("completion", (), "a string in `text`")
    if len(row) == 1 and type(next(iter(row.values()))) is str:
        column = next(iter(row))
        return Shape("completion", (("field", column),), f"only one column, the string `{column}`")
    return None


def _is_string(row: Mapping[str, Any], column: str) -> bool:
    return type(row.get(column)) is str


def _is_text(row: Mapping[str, Any], column: str) -> bool:
    """Return True for strings, and for numbers and booleans, which formatters write as texts."""
    return type(row.get(column)) in (str, int, float, bool)


def _is_list(row: Mapping[str, Any], column: str) -> bool:
    return type(row.get(column)) is list
