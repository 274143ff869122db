"""Rows of preference data, which hold a good and a bad answer. ftrun trains on the good one if the recipe names it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftrun_plugins.data.formatters.json_text import is_request, looks_like_conversation, parse_list

# Column of the good answer, and column of the bad one.
PAIRS = (
    ("chosen", "rejected"),
    ("chosen_response", "rejected_response"),
    ("chosen_answer", "rejected_answer"),
    ("response_chosen", "response_rejected"),
    ("preferred_output", "non_preferred_output"),
    ("preferred_output", "dispreferred_output"),
)
NAMES = frozenset(name for pair in PAIRS for name in pair)
QUESTIONS = ("prompt", "instruction", "question", "query", "input")


def suggest_good_answers(row: Mapping[str, Any]) -> str | None:
    """Return a hint for rows with good and bad answers, or None for other rows."""
    pair = next((pair for pair in PAIRS if pair[0] in row and pair[1] in row), None)
    if pair is None:
        return None
    good, bad = pair
    start = "these rows have good and bad answers; to train on the good ones alone, "
    setting = _formatter_of(row, good)
    if setting is None:
        return f"{start}write them as conversations"
    return f"{start}set dataset.formatter={setting} and dataset.ignore_columns=[{bad}]"


def _formatter_of(row: Mapping[str, Any], good: str) -> str | None:
    is_conversation = looks_like_conversation(row[good])
    turns = parse_list(row[good], good) if is_conversation else ()
    if turns and turns[0].get("from") is not None:
        return f"{{name: sharegpt, conversations: {good}}}" if len(turns) > 1 else None
    if turns and turns[0].get("role") != "assistant":
        return f"{{name: chat, messages: {good}}}"
    asked = next((name for name in QUESTIONS if is_request(row.get(name)) or _has_roles(row.get(name))), None)
    if asked is not None and (is_conversation or type(row[good]) is str):
        return f"{{name: chat, messages: {asked}, answer: {good}}}"
    question = next((name for name in QUESTIONS if type(row.get(name)) is str), None)
    if question is None or type(row[good]) is not str:
        return None
    return f"{{name: alpaca, instruction: {question}, output: {good}}}"


def _has_roles(value: Any) -> bool:
    return looks_like_conversation(value) and "role" in parse_list(value, "")[0]
