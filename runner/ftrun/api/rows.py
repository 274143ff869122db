"""Types of data: the rows that a source yields, and the examples that a formatter makes of them.

An example is of one of three kinds. Each becomes one row in the dataset format of the trainer:

* `Chat`: messages and tools in the format of OpenAI, which the chat template of the model renders
* `Segments`: texts, each of which is trained or not, for exact masks without a template
* `Text`: one text that is trained completely
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    """Raw row with its place. `line` counts from 1."""

    values: Mapping[str, Any]
    file: str
    line: int

    @property
    def place(self) -> str:
        """Place of the row, as `file:line`."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Rejected:
    """Reason why a row cannot become an example, in one sentence without a full stop. `code` is for programs."""

    reason: str
    code: str = "bad-row"


@dataclass(frozen=True, slots=True)
class Chat:
    """Messages in the format of OpenAI. A message of the assistant with `train: false` is not trained.

    Args:
        messages: The conversation.
        tools: Functions with JSON Schemas of their parameters.
        ignored: Keys of the row that the formatter left out, with their values, by names such as `messages[].id`.
    """

    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]] = ()
    ignored: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Segments:
    """Pairs of a text and a flag, in order. The flag is true if the model is trained on the text."""

    segments: Sequence[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class Text:
    """Text that is trained completely."""

    text: str


Example: TypeAlias = Chat | Segments | Text
