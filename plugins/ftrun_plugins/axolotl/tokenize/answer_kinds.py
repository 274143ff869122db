"""Notes on the parsers that a server of the tuned model needs, because its answers call tools or have thoughts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ftrun_plugins.answer_formats.proposal import propose_reasoning_parser, propose_tool_parser

if TYPE_CHECKING:
    from ftrun.api.artifacts import ExampleRow

CALLS, THOUGHTS = "calls of tools", "thoughts"
THOUGHTS_END = "</think>"


def watch_kinds(examples: Iterable[ExampleRow], kinds: set[str]) -> Iterator[ExampleRow]:
    """Yield the examples, and add to `kinds` what their answers contain: `CALLS`, `THOUGHTS`."""
    for example in examples:
        if len(kinds) < len((CALLS, THOUGHTS)):
            for message in example.get("messages", ()):
                kinds.update(_find_kinds(message))
        yield example


def _find_kinds(message: Mapping[str, Any]) -> Iterator[str]:
    if message.get("tool_calls"):
        yield CALLS
    if message.get("reasoning_content") or THOUGHTS_END in (message.get("content") or ""):
        yield THOUGHTS


def describe_parsers(template: str, kinds: set[str]) -> Iterator[str]:
    """Yield a note for each kind of content, with the option of the server that fits the chat template."""
    proposals = (
        (CALLS, "serve.tool_parser", propose_tool_parser),
        (THOUGHTS, "serve.reasoning_parser", propose_reasoning_parser),
    )
    for kind, key, propose in proposals:
        parser = propose(template) if kind in kinds else None
        if parser:
            yield f"answers have {kind}; a server parses them with {key}={parser}"
        elif kind in kinds:
            yield f"answers have {kind}, and ftrun knows no {key} for the format of the chat template"
