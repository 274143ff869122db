"""Check of a chat template with conversations whose mask is known, before any row is tokenized.

The trainer finds an assistant's turn by the text that changes if the turn has another content. This fails for some
templates: those that leave out tool calls, that render a tool's answer differently if there is no call, or that write
marks between the answer and its end.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

QUESTION = {"role": "user", "content": "Who is at the door?"}
PLAIN = {
    "messages": [
        QUESTION,
        {"role": "assistant", "content": "A glazier from Utrecht."},
        {"role": "user", "content": "Anyone besides?"},
        {"role": "assistant", "content": "The postman waits outside."},
    ]
}
FUNCTION = {
    "name": "porch",
    "description": "Looks through the spyhole",
    "parameters": {"type": "object", "properties": {"side": {"type": "string", "description": "left or right"}}},
}
CALL = {"id": "call00001", "type": "function", "function": {"name": "porch", "arguments": '{"side":"leeward"}'}}
CALLING = {
    "messages": [
        QUESTION,
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call00001", "content": "glimpsed a tinker"},
        {"role": "assistant", "content": "The postman waits outside."},
    ],
    "tools": [{"type": "function", "function": FUNCTION}],
}
# Words of the assistant in the order of its turns, and words of the other roles.
PLAIN_WORDS = (("A glazier from Utrecht.", "The postman waits outside."), ("Who is at the door?", "Anyone besides?"))
CALLING_WORDS = (("leeward", "The postman waits outside."), ("Who is at the door?", "glimpsed a tinker"))


@dataclass(frozen=True)
class Token:
    """Token of a rendered conversation, at characters `start` to `stop` of its text."""

    id: int
    start: int
    stop: int
    is_trained: bool


def find_text_fault(strategy: Any, ends: Collection[int], needs_end: bool) -> str | None:
    """Return the reason why turns of plain text would be trained incorrectly, or None."""
    return _find_fault(strategy, ends, PLAIN, PLAIN_WORDS, "answers of the assistant", needs_end)


def find_call_fault(strategy: Any, ends: Collection[int], needs_end: bool) -> str | None:
    """Return the reason why tool calls would be trained incorrectly, or None."""
    return _find_fault(strategy, ends, CALLING, CALLING_WORDS, "tool calls", needs_end)


def _find_fault(
    strategy: Any,
    ends: Collection[int],
    example: dict[str, Any],
    words: tuple[Sequence[str], Sequence[str]],
    subject: str,
    needs_end: bool,
) -> str | None:
    try:
        rendered = _render(strategy, example)
    except Exception:  # the template may not support this conversation; each row is checked anyway
        return None
    if rendered is None:
        return None
    text, tokens = rendered
    answers, others = words
    if not all(word in text for word in answers):
        return f"the chat template leaves out {subject}"
    for word in answers:
        if not all(token.is_trained for token in _find_tokens(tokens, text.rindex(word), len(word))):
            return f"with this chat template, the trainer does not find {subject}, and would not train on them"
    for word in others:
        if word in text and any(token.is_trained for token in _find_tokens(tokens, text.rindex(word), len(word))):
            return f"with this chat template, the trainer would train on more than {subject}, such as {word!r}"
    extra = _find_extra_training(text, tokens, ends, words, subject)
    return extra or (_find_untrained_mark(text, tokens, ends, answers[-1]) if needs_end else None)


def _render(strategy: Any, example: dict[str, Any]) -> tuple[str, list[Token]] | None:
    """Return the conversation as text and tokens, or None if the places of the tokens in the text are unknown."""
    result = strategy._tokenize_single_prompt(copy.deepcopy(example))
    prompt = copy.deepcopy(example)
    turns, tools = strategy.get_conversation_thread(prompt), strategy._get_tools(prompt)
    text = strategy.prompter.build_prompt_text(turns, tools=tools)
    if not text or not getattr(strategy.tokenizer, "is_fast", False):
        return None
    encoded = strategy.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    if list(encoded["input_ids"]) != list(result["input_ids"]):
        return None
    parts = zip(result["input_ids"], encoded["offset_mapping"], result["labels"], strict=True)
    return text, [Token(number, start, stop, label >= 0) for number, (start, stop), label in parts]


def _find_tokens(tokens: Sequence[Token], start: int, length: int) -> list[Token]:
    return [token for token in tokens if token.start < start + length and token.stop > start]


def _find_extra_training(
    text: str,
    tokens: Sequence[Token],
    ends: Collection[int],
    words: tuple[Sequence[str], Sequence[str]],
    subject: str,
) -> str | None:
    """Return a fault if tokens between the end of the first turn and the next turn of another role are trained."""
    (first, _), (_, reply) = words
    start = text.rindex(first) + len(first)
    stop = text.find(reply, start)
    following = [token for token in tokens if start <= token.start < stop]
    end = next((index for index, token in enumerate(following) if token.id in ends), None)
    if end is None:
        return None
    wrong = next((token for token in following[end:] if token.is_trained and token.id not in ends), None)
    if wrong is None:
        return None
    extra = text[wrong.start : wrong.stop]
    return f"with this chat template, the trainer would train on more than {subject}, such as {extra!r}"


def _find_untrained_mark(text: str, tokens: Sequence[Token], ends: Collection[int], last: str) -> str | None:
    """Return a fault if a mark between the last answer and its end is not trained."""
    start = text.rindex(last) + len(last)
    following = [token for token in tokens if token.start >= start and text[token.start : token.stop].strip()]
    end = next((index for index, token in enumerate(following) if token.is_trained and token.id in ends), None)
    wrong = next((token for token in following[:end] if not token.is_trained), None) if end is not None else None
    if wrong is None:
        return None
    mark = text[wrong.start : wrong.stop]
    return f"with this chat template, the trainer does not train {mark!r} between an answer and its end"
