"""Choice of the assistant's messages that are trained: all, the last one, or those that a row marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.errors import InvalidRowError

Trained: TypeAlias = Literal["all", "last", "marked"]
MARK_KEYS = ("weight", "train", "training")  # of OpenAI's fine-tuning files, and of other tools


def read_mark(values: Mapping[str, Any], path: str) -> bool | None:
    """Return whether a message is marked for training, or None if it has no mark.

    Raises:
        InvalidRowError: If a mark is neither 0 nor 1, or if two marks differ.
    """
    marks = {key: values[key] for key in MARK_KEYS if key in values}
    for key, value in marks.items():
        if isinstance(value, str | list | dict) or value not in (0, 1):
            shown = f"{value:g}" if isinstance(value, int | float) else type_name(value)
            what = f"{path}.{key} is {shown}, but a message is either trained (1) or not (0)"
            raise InvalidRowError("unsupported-content", what)
    if len({bool(value) for value in marks.values()}) > 1:
        raise InvalidRowError("unsupported-content", f"{path} has two marks that differ: {', '.join(marks)}")
    return next((bool(value) for value in marks.values()), None)


def apply_marks(messages: Sequence[dict[str, Any]], trained: Trained, column: str) -> list[dict[str, Any]]:
    """Return the messages with `train: false` in each message of the assistant that is not trained.

    Raises:
        InvalidRowError: If no message is trained.
    """
    if trained == "all" and not any("train" in message for message in messages):
        return list(messages)
    last = max(index for index, message in enumerate(messages) if message["role"] == "assistant")
    result = []
    for index, message in enumerate(messages):
        mark, plain = message.get("train"), {key: value for key, value in message.items() if key != "train"}
        chosen = {"all": mark is not False, "last": index == last, "marked": mark is True}[trained]
        is_context = message["role"] == "assistant" and not chosen
        result.append({**plain, "train": False} if is_context else plain)
    if all(message.get("train") is False for message in result if message["role"] == "assistant"):
        raise InvalidRowError("empty-value", f"`{column}` has no message of the assistant that is trained")
    return result
