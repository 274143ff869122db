"""Parser of the answers of the engine `transformers`: separates thoughts and calls of tools from the text.

transformers finds the marks, also in pieces of a stream. This module describes the marks to it, reads the calls between
them, and returns malformed calls as text, as vLLM does.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ftrun_plugins.answer_formats.calls import CLOSE, LISTED, OPEN, parse_calls
from ftrun_plugins.answer_formats.parser_names import CALL_FORMATS, THOUGHT_TAGS

TEXT: dict[str, Any] = {"content": "text", "content_args": {"strip": False}}
CALL_FIELDS: dict[str, dict[str, Any]] = {
    "tagged": {"open_pattern": rf"\s*{OPEN}\s*", "close": CLOSE, "repeats": True, **TEXT},
    "bare": {"open_pattern": r"\A\s*(?:<\|python_tag\|>)?\s*(?=\{)", "repeats": True, **TEXT},
    "listed": {"open": LISTED, "repeats": True, **TEXT},
}
MARKS = {"tagged": (OPEN, CLOSE), "bare": ("", ""), "listed": (LISTED, "")}


@dataclass(frozen=True)
class AnswerFormat:
    """Format of answers.

    Args:
        calls: The format of calls of tools. None: calls stay text.
        thoughts: The tags around thoughts. None: thoughts stay text.
    """

    calls: str | None = None
    thoughts: tuple[str, str] | None = None

    @classmethod
    def of(cls, tool_parser: str | None, reasoning_parser: str | None) -> AnswerFormat:
        """Return the format that these parsers of vLLM read."""
        calls = CALL_FORMATS[tool_parser] if tool_parser else None
        return cls(calls, THOUGHT_TAGS[reasoning_parser] if reasoning_parser else None)

    def response_template(self, ends: Sequence[str]) -> dict[str, Any] | None:
        """Return the marks in the format of transformers. None: the whole answer is text.

        Args:
            ends: Special tokens of the tokenizer, which are no part of a text.
        """
        fields: dict[str, Any] = {}
        anchor = r"\A.*"  # the answer begins at the end of the prompt
        if self.thoughts:
            first, last = self.thoughts
            fields["thinking"] = {"open_pattern": rf"{first}\s*", "close_pattern": rf"\s*{last}\s*", **TEXT}
            anchor = rf"\A.*(?={first}(?!.*{last}))|{anchor}"  # or at thoughts that the prompt begins
        if self.calls:
            fields["tool_calls"] = CALL_FIELDS[self.calls]
        if not fields:
            return None
        marks = {*(self.thoughts or ()), *(MARKS[self.calls] if self.calls else ()), "<|python_tag|>"}
        closing = [end for end in ends if end not in marks]
        fields["content"] = {"repeats": True, "join": "", **TEXT, **({"close": closing} if closing else {})}
        return {"defaults": {"role": "assistant"}, "start_anchor_pattern": anchor, "fields": fields}


class AnswerParser:
    """Parser of one answer, with the interface of transformers' `ResponseParser`, which it wraps."""

    def __init__(self, parser: Any, answer_format: AnswerFormat, ends: Sequence[str]) -> None:
        self._parser = parser
        self._calls = answer_format.calls
        self._ends = ends
        self.initial_events: list[dict[str, Any]] = []

    def feed(self, text: str) -> list[dict[str, Any]]:
        """Return the events of a piece of the answer."""
        return list(self._convert(self._parser.feed(text)))

    def finalize(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return the message and the events of the end of the answer."""
        message, events = self._parser.finalize()
        return message, list(self._convert(events, is_cut=True))

    def _convert(self, events: Iterable[dict[str, Any]], is_cut: bool = False) -> Iterator[dict[str, Any]]:
        for event in events:
            if event["field"] != "tool_calls":
                yield event
            elif event["type"] == "region_close" and self._calls:
                yield from self._read(self._calls, event["value"], is_cut)

    def _read(self, calls: str, text: str, is_cut: bool) -> Iterator[dict[str, Any]]:
        body = remove_ends(text, self._ends)
        found = parse_calls(calls, body)
        if found is None:
            first, last = MARKS[calls]
            raw = f"{first}{body}{'' if is_cut else last}"
            yield {"type": "region_chunk", "field": "content", "text": raw, "dirty": False}
        for call in found or ():
            function = {"name": call.name, "arguments": call.arguments}
            yield {"type": "region_close", "field": "tool_calls", "value": {"function": function}}


def with_format(tokenizer: Any, answer_format: AnswerFormat) -> Any:
    """Return a copy of a tokenizer with which the handlers of transformers parse answers in a format."""
    changed = copy.copy(tokenizer)
    ends = special_tokens(tokenizer)
    changed.response_template = answer_format.response_template(ends)
    changed.make_answer_parser = partial(AnswerParser, answer_format=answer_format, ends=ends)
    changed.parse_response = partial(_parse_response, changed)
    return changed


def _parse_response(tokenizer: Any, ids: Any, template: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Return the parts of a complete answer. Replaces the method of the tokenizer, which fails on malformed calls."""
    from transformers.utils.chat_parsing.response_parser import ResponseParser

    parser = tokenizer.make_answer_parser(ResponseParser(template, prefix=prefix))
    return collect([*parser.feed(tokenizer.decode(ids)), *parser.finalize()[1]])


def collect(events: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return text, thoughts and calls of the events of an answer."""

    def join(field: str) -> str:
        chunks = (event["text"] for event in events if event["type"] == "region_chunk" and event["field"] == field)
        return "".join(chunks)

    calls = [event["value"] for event in events if event["type"] == "region_close" and event["field"] == "tool_calls"]
    return {"content": join("content"), "thinking": join("thinking") or None, "tool_calls": calls}


def special_tokens(tokenizer: Any) -> list[str]:
    """Return the tokens that are no part of a text, such as the end of a turn."""
    added = (token.content for token in tokenizer.added_tokens_decoder.values() if token.special)
    return list(dict.fromkeys([*tokenizer.all_special_tokens, *added]))


def remove_ends(text: str, ends: Sequence[str]) -> str:
    """Return a text without the special tokens at its end."""
    text = text.rstrip()
    while end := next((end for end in ends if end and text.endswith(end)), None):
        text = text.removesuffix(end).rstrip()
    return text
