"""Detection of columns that carry meaning, by their names and their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ftrun.api.rows import Chat, Segments, Text
from ftrun_plugins.data.formatters import preferences
from ftrun_plugins.data.formatters.json_text import looks_like_conversation

MOST_STRINGS = 1000  # strings of a value or an example that are compared
PROSE = 200  # characters from which a text with spaces is not metadata


@dataclass(frozen=True)
class Meaning:
    """Content of a column, and the way to train on it.

    Args:
        what: Completes the sentence "the column holds …".
        hint: Next step of the user.
        option: Option of a formatter for the column. `hint` is for formatters without this option.
        repeatable: If true, a value that the example contains is no loss.
    """

    what: str
    hint: str
    option: str | None = None
    repeatable: bool = True


CONTEXT = Meaning("context of the question", "put it into the prompt with the formatter `template`", "input")
SYSTEM = Meaning("a system prompt", "put it into the prompt with the formatter `template`", "system")
REASONING = Meaning("reasoning before the answer", "put it into the answer with the formatter `template`")
TOOLS = Meaning("tools or calls of tools", "use the formatter `chat` or `sharegpt` with the column as `tools`", "tools")
CHOICES = Meaning("choices that belong to the question", "put them into the prompt with the formatter `template`")
CONTENT = Meaning("a part of the conversation", "name it in an option of the formatter")
CONVERSATION = Meaning("a conversation", "use the formatter `chat` or `sharegpt` with this column", "messages")
TEXT = Meaning("long texts that the examples do not contain", "name it in an option of the formatter")
MEDIA = Meaning("images, audio or video, which ftrun does not train on", "use rows without media", repeatable=False)
PREFERENCE = Meaning(
    "preferred or rejected answers, and ftrun trains on every answer as a good one",
    "train on the good answers alone: name their column in the formatter",
    repeatable=False,
)
LABEL = Meaning(
    "labels of the rows, and ftrun trains on every row as a good example",
    "keep the good rows with dataset.filters=[{column: COLUMN, equals: true}]",
    repeatable=False,
)
WEIGHT = Meaning("weights of the rows, and ftrun gives all rows the same weight", "filter by it", repeatable=False)

NAMES: Mapping[str, Meaning] = {
    name: meaning
    for meaning, names in (
        (CONTEXT, "background context contexts document documents evidence knowledge passage passages schema table"),
        (CHOICES, "choices options"),
        (SYSTEM, "system system_message system_prompt"),
        (REASONING, "chain_of_thought cot rationale reasoning reasoning_content thinking thought thoughts"),
        (TOOLS, "available_tools function_call function_calls functions tool_calls tools"),
        (
            CONTENT,
            "answer completion conversations history input instruction messages output prompt question query response",
        ),
        (MEDIA, "audio audios image images video videos"),
        (PREFERENCE, " ".join(preferences.NAMES)),
        (LABEL, "kto_tag label labels"),
        (WEIGHT, "loss_weight sample_weight weight weights"),
    )
    for name in names.split()
}


def has_known_name(column: str) -> bool:
    """Return True if the name of a column says that it carries meaning."""
    return column.lower() in NAMES


def meaning_of(column: str, value: Any, example: object) -> Meaning | None:
    """Return the meaning of a value that the formatter did not read, or None if it looks like metadata.

    A value whose texts are all in the example has lost nothing, and neither has a rendered copy of the example.
    """
    meaning = NAMES.get(column.lower()) or _meaning_of_value(value)
    if meaning is None or not meaning.repeatable:
        return meaning
    texts = list(_texts_of_example(example))
    parts = [part.strip() for part in _strings(value)]
    if parts and all(any(part in text for text in texts) for part in parts):
        return None
    if type(value) is str and texts and all(text.strip() in value for text in texts):
        return None
    return meaning


def _meaning_of_value(value: Any) -> Meaning | None:
    if type(value) is str:
        if len(value) < PROSE:
            return None
        if looks_like_conversation(value):
            return CONVERSATION
        return MEDIA if value.startswith("data:") else TEXT if value.count(" ") >= PROSE // 20 else None
    if looks_like_conversation(value):
        return CONVERSATION
    first = value[0] if type(value) is list and value else value
    return MEDIA if type(first) is dict and "bytes" in first and "path" in first else None


def _texts_of_example(example: object) -> Iterator[str]:
    if isinstance(example, Text):
        yield example.text
    elif isinstance(example, Segments):
        yield "".join(text for text, _ in example.segments)
    elif isinstance(example, Chat):
        for message in example.messages:
            yield from _strings({key: value for key, value in message.items() if key != "role"})
        yield from _strings(example.tools)


def _strings(value: Any) -> Iterator[str]:
    """Yield the first strings and numbers in a value, without blanks, keys of objects and names of roles."""
    waiting, count = [value], 0
    while waiting and count < MOST_STRINGS:
        current = waiting.pop()
        if isinstance(current, str):
            if current and not current.isspace():
                count += 1
                yield current
        elif isinstance(current, int | float) and not isinstance(current, bool):
            count += 1
            yield str(current)
        elif isinstance(current, Mapping):
            waiting.extend(item for key, item in list(current.items())[::-1] if key not in ("role", "from", "type"))
        elif isinstance(current, list | tuple):
            waiting.extend(reversed(current))
