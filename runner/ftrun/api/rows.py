"""What a source yields and what a formatter makes of it: rows, their places, and examples.

An example is one of three shapes; each becomes one row of the trainer's own dataset format:

* `Chat`: OpenAI messages, tools included; the model's chat template renders it
* `Segments`: texts, each trained on or not: exact masks without a template
* `Text`: one text, all of it trained on
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ftrun.api.options import Column, FormatterOptions, OptionalColumn, Options

__all__ = [
    "Chat",
    "Column",
    "Example",
    "FormatterOptions",
    "OptionalColumn",
    "Options",
    "Rejected",
    "Row",
    "Segments",
    "Text",
]


@dataclass(frozen=True, slots=True)
class Row:
    """One raw row and the place it came from; `line` counts from 1."""

    values: Mapping[str, Any]
    file: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Rejected:
    """The reason why a row cannot become an example, in one sentence without a full stop; `code` is for programs."""

    reason: str
    code: str = "bad-row"


@dataclass(frozen=True, slots=True)
class Chat:
    """Messages in OpenAI's shape, `tools` as JSON Schema functions."""

    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Segments:
    """Pairs of text and whether the model is trained on it, in order."""

    segments: Sequence[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class Text:
    """One text, all of it trained on."""

    text: str


Example: TypeAlias = Chat | Segments | Text
