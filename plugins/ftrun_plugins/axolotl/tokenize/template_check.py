"""Check of a chat template with conversations whose mask is known, before any row is tokenized.

The trainer finds an assistant's turn by the text that changes if the turn has another content. This fails for some
templates: those that leave out tool calls, that render a tool's answer differently if there is no call, or that write
marks between the answer and its end.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
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
THOUGHTS = ("The voice sounds Dutch.", "It is nearly noon.")


def _with_system(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"role": "system", "content": "Speak like a porter."}, *messages]


def _with_thoughts(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    thoughts = iter(THOUGHTS)
    return [{**turn, "reasoning_content": next(thoughts)} if _is_answer(turn) else turn for turn in messages]


def _with_spaces(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**turn, "content": f"\n {turn['content']} \n"} if _is_answer(turn) else turn for turn in messages]


def _is_answer(message: Mapping[str, Any]) -> bool:
    return bool(message["role"] == "assistant")


def _has_outer_spaces(message: Mapping[str, Any]) -> bool:
    content = message.get("content") or ""
    return _is_answer(message) and content != content.strip()


@dataclass(frozen=True)
class Probe:
    """Conversation whose mask is known.

    Args:
        subject: What the assistant says in it.
        example: The conversation.
        answers: Words of the assistant, in the order of its turns. The last two end its turns.
        others: Words of the other roles.
        applies: Returns True for a message of a row that has the same part.
        is_required: If true, a template must render the words of the assistant.
    """

    subject: str
    example: dict[str, Any]
    answers: Sequence[str]
    others: Sequence[str]
    applies: Callable[[Mapping[str, Any]], bool]
    is_required: bool = False

    def concerns(self, messages: Sequence[Mapping[str, Any]]) -> bool:
        """Return True if a conversation has the part that this probe tries."""
        return any(map(self.applies, messages))


ANSWERS, QUESTIONS = (
    ("A glazier from Utrecht.", "The postman waits outside."),
    ("Who is at the door?", "Anyone besides?"),
)
PLAIN_PROBE = Probe("answers of the assistant", PLAIN, ANSWERS, QUESTIONS, lambda message: True, is_required=True)
PROBES = (
    Probe(
        "tool calls",
        CALLING,
        ("leeward", "The postman waits outside."),
        ("Who is at the door?", "glimpsed a tinker"),
        lambda message: bool(message.get("tool_calls")),
        is_required=True,
    ),
    Probe(
        "answers after a system prompt",
        {"messages": _with_system(PLAIN["messages"])},
        ANSWERS,
        (*QUESTIONS, "Speak like a porter."),
        lambda message: message["role"] in ("system", "developer"),
    ),
    Probe(
        "thoughts and answers of the assistant",
        {"messages": _with_thoughts(PLAIN["messages"])},
        (*THOUGHTS, *ANSWERS),
        QUESTIONS,
        lambda message: bool(message.get("reasoning_content")),
    ),
    Probe(
        "answers with white space at their ends",
        {"messages": _with_spaces(PLAIN["messages"])},
        ANSWERS,
        QUESTIONS,
        _has_outer_spaces,
    ),
)


@dataclass(frozen=True)
class Token:
    """Token of a rendered conversation, at characters `start` to `stop` of its text."""

    id: int
    start: int
    stop: int
    is_trained: bool


def find_text_fault(strategy: Any, ends: Collection[int], needs_end: bool) -> str | None:
    """Return the reason why turns of plain text would be trained incorrectly, or None."""
    return _find_fault(strategy, ends, PLAIN_PROBE, needs_end)


def find_untrained_end(strategy: Any, ends: Collection[int]) -> str | None:
    """Return the special token that ends a turn of plain text if no end is trained.

    Returns None if an end is trained, or if no special token follows the last answer. The trainer trains one token
    after an answer, so further ones do not matter.
    """
    try:
        rendered = _render(strategy, PLAIN_PROBE.example)
    except Exception:  # the template may not support this conversation; each row is checked anyway
        return None
    if rendered is None or ANSWERS[-1] not in rendered[0]:
        return None
    text, tokens = rendered
    start = text.rindex(ANSWERS[-1]) + len(ANSWERS[-1])
    following = [token for token in tokens if token.start >= start and text[token.start : token.stop].strip()]
    if not following or any(token.is_trained and token.id in ends for token in following):
        return None
    tokenizer = strategy.tokenizer
    special = {*tokenizer.all_special_ids, *getattr(tokenizer, "added_tokens_decoder", {})}
    return str(tokenizer.convert_ids_to_tokens(following[0].id)) if following[0].id in special else None


def find_part_faults(strategy: Any, ends: Collection[int], needs_end: bool) -> Iterator[tuple[Probe, str]]:
    """Yield the probes with parts that only some rows have, with the reasons why such rows would be trained wrongly."""
    for probe in PROBES:
        if fault := _find_fault(strategy, ends, probe, needs_end):
            yield probe, fault


def _find_fault(strategy: Any, ends: Collection[int], probe: Probe, needs_end: bool) -> str | None:
    try:
        rendered = _render(strategy, probe.example)
    except Exception:  # the template may not support this conversation; each row is checked anyway
        return None
    if rendered is None:
        return None
    text, tokens = rendered
    subject, answers = probe.subject, [word for word in probe.answers if word in text]
    if probe.is_required and len(answers) < len(probe.answers):
        return f"the chat template leaves out {subject}"
    for word in answers:
        if not all(token.is_trained for token in _find_tokens(tokens, text.rindex(word), len(word))):
            return f"with this chat template, the trainer does not find {subject}, and would not train on them"
    for word in probe.others:
        if word in text and any(token.is_trained for token in _find_tokens(tokens, text.rindex(word), len(word))):
            return f"with this chat template, the trainer would train on more than {subject}, such as {word!r}"
    first, last = probe.answers[-2:]
    if first not in text or last not in text:
        return None
    extra = _find_extra_training(text, tokens, ends, probe, first)
    return extra or (_find_untrained_mark(text, tokens, ends, last) if needs_end else None)


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
    text: str, tokens: Sequence[Token], ends: Collection[int], probe: Probe, first: str
) -> str | None:
    """Return a fault if tokens between the end of the first turn and the next turn of another role are trained."""
    start = text.rindex(first) + len(first)
    stop = text.find(probe.others[1], start)
    following = [token for token in tokens if start <= token.start < stop]
    end = next((index for index, token in enumerate(following) if token.id in ends), None)
    if end is None:
        return None
    wrong = next((token for token in following[end:] if token.is_trained and token.id not in ends), None)
    if wrong is None:
        return None
    extra = text[wrong.start : wrong.stop]
    return f"with this chat template, the trainer would train on more than {probe.subject}, such as {extra!r}"


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
