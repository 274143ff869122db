"""Tries a chat template on conversations whose mask is known: what would be trained wrong is told before any row is.

The trainer finds an assistant's turn by what changes in the rendered text when it says something else. Templates can
defeat that: by leaving tool calls out, by rendering the answer of a tool otherwise when there was no call, by marks
between the answer and its end.
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
        {"role": "assistant", "content": "Nobody waits outside."},
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
        {"role": "assistant", "content": "Nobody waits outside."},
    ],
    "tools": [{"type": "function", "function": FUNCTION}],
}
# What the assistant says in turn, and what the others do between.
PLAIN_WORDS = (("A glazier from Utrecht.", "Nobody waits outside."), ("Who is at the door?", "Anyone besides?"))
CALLING_WORDS = (("leeward", "Nobody waits outside."), ("Who is at the door?", "glimpsed a tinker"))


@dataclass(frozen=True)
class Token:
    """One token of a rendered conversation, from `start` to `stop` in its text."""

    id: int
    start: int
    stop: int
    is_trained: bool


def plain_fault(strategy: Any, ends: Collection[int], needs_end: bool) -> str | None:
    """Why turns of text would be trained wrong, or None."""
    return _fault(strategy, ends, PLAIN, PLAIN_WORDS, "what the assistant says", needs_end)


def calling_fault(strategy: Any, ends: Collection[int], needs_end: bool) -> str | None:
    """Why tool calls would be trained wrong, or None."""
    return _fault(strategy, ends, CALLING, CALLING_WORDS, "tool calls", needs_end)


def _fault(
    strategy: Any,
    ends: Collection[int],
    example: dict[str, Any],
    words: tuple[Sequence[str], Sequence[str]],
    what: str,
    needs_end: bool,
) -> str | None:
    try:
        rendered = _rendered(strategy, example)
    except Exception:  # a template may take none of this: each row is asked anyway
        return None
    if rendered is None:
        return None
    text, tokens = rendered
    said, others = words
    if not all(word in text for word in said):
        return f"the chat template leaves out {what}"
    for word in said:
        if not all(token.is_trained for token in _over(tokens, text.rindex(word), len(word))):
            return f"the trainer does not find {what} in the text of this chat template, and would not train on it"
    for word in others:
        if word in text and any(token.is_trained for token in _over(tokens, text.rindex(word), len(word))):
            return f"with this chat template the trainer would train on more than {what}, such as {word!r}"
    return _beyond(text, tokens, ends, words, what) or (_gap(text, tokens, ends, said[-1]) if needs_end else None)


def _rendered(strategy: Any, example: dict[str, Any]) -> tuple[str, list[Token]] | None:
    """The conversation as text and tokens; None where tokens have no places in the text."""
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


def _over(tokens: Sequence[Token], start: int, length: int) -> list[Token]:
    return [token for token in tokens if token.start < start + length and token.stop > start]


def _beyond(
    text: str,
    tokens: Sequence[Token],
    ends: Collection[int],
    words: tuple[Sequence[str], Sequence[str]],
    what: str,
) -> str | None:
    """Whether something is trained behind the end of the first turn, before the next of the others speaks."""
    (first, _), (_, answer) = words
    start = text.rindex(first) + len(first)
    stop = text.find(answer, start)
    behind = [token for token in tokens if start <= token.start < stop]
    end = next((place for place, token in enumerate(behind) if token.id in ends), None)
    if end is None:
        return None
    wrong = next((token for token in behind[end:] if token.is_trained and token.id not in ends), None)
    if wrong is None:
        return None
    return (
        f"with this chat template the trainer would train on more than {what}: {text[wrong.start : wrong.stop]!r} too"
    )


def _gap(text: str, tokens: Sequence[Token], ends: Collection[int], last: str) -> str | None:
    """Whether a mark between the last answer and its end stays untrained."""
    start = text.rindex(last) + len(last)
    behind = [token for token in tokens if token.start >= start and text[token.start : token.stop].strip()]
    end = next((place for place, token in enumerate(behind) if token.is_trained and token.id in ends), None)
    wrong = next((token for token in behind[:end] if not token.is_trained), None) if end is not None else None
    if wrong is None:
        return None
    mark = text[wrong.start : wrong.stop]
    return f"with this chat template the trainer leaves {mark!r}, between an answer and its end, untrained"
