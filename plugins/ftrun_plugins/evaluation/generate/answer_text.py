"""Text and calls of an answer, from its token ids."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ftrun.api.prompts import Prompt
from ftrun.api.tool_calls import ToolCall, add_calls
from ftrun_plugins.answer_formats.answer_calls import split_calls
from ftrun_plugins.answer_formats.parser_names import CALL_FORMATS
from ftrun_plugins.answer_formats.proposal import propose_tool_parser


@dataclass(frozen=True)
class AnswerText:
    """Answer of a model.

    Args:
        text: The text, with the calls in the notation of references.
        calls: The calls of tools, or None if ftrun does not know the format in which the model writes them.
        error: Why the answer cannot be scored, or None.
    """

    text: str
    calls: tuple[ToolCall, ...] | None
    error: str | None = None


class AnswerReader:
    """Reader of the answers of one model.

    Args:
        tokenizer: The tokenizer of the model, with its chat template.
        tool_parser: The parser of calls that the recipe names. None: that of the format in the chat template.
    """

    def __init__(self, tokenizer: Any, tool_parser: str | None) -> None:
        self._tokenizer = tokenizer
        self._parser = tool_parser or propose_tool_parser(tokenizer.chat_template or "")
        self._format = CALL_FORMATS.get(self._parser) if self._parser else None
        self._ends = [token for token in tokenizer.all_special_tokens if token]

    def read(self, ids: Sequence[int], prompt: Prompt) -> AnswerText:
        """Return the answer with these token ids, without the end of the turn.

        Special tokens inside an answer are kept, because they are a part of what the model was trained to write.
        """
        text = self._remove_ends(self._tokenizer.decode(ids, skip_special_tokens=False))
        if not prompt.tools and not prompt.calls:
            return AnswerText(text, ())
        if self._format is None:
            written = f"the format of `{self._parser}`" if self._parser else "a format"
            error = f"the model writes calls of tools in {written} that ftrun cannot read" if prompt.calls else None
            return AnswerText(text, None, error)
        rest, found = split_calls(self._format, text)
        calls = tuple(ToolCall(call.name, json.loads(call.arguments)) for call in found)
        return AnswerText(add_calls(rest, calls), calls)

    def _remove_ends(self, text: str) -> str:
        while end := next((end for end in self._ends if text.endswith(end)), None):
            text = text.removesuffix(end)
        return text
