"""Columns and tags of LLaMA-Factory's formats `alpaca`, `sharegpt` and `openai`, as formatters with their options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftrun_plugins.importing.llama_factory.settings import Settings

TAGS = {  # tag, default name, role of the formatter `sharegpt`
    "user_tag": ("human", "user"),
    "assistant_tag": ("gpt", "assistant"),
    "observation_tag": ("observation", "tool"),
    "function_tag": ("function_call", "tool_call"),
    "system_tag": ("system", "system"),
}
KNOWN = {
    "system": "system", "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant",
    "function_call": "tool_call", "observation": "tool", "tool": "tool",
}  # fmt: skip
MEDIA = ("images", "videos", "audios")
OPENAI_SYSTEM = (
    "LLaMA-Factory adds the system prompt `detailed thinking off` to conversations of this format without tools; ftrun "
    "does not"
)
Formatter = dict[str, Any]


def read_formatter(name: str, key: str, described: Mapping[str, Any], settings: Settings) -> Formatter | None:
    """Return the formatter of a dataset. Record one whose rows have no way in."""
    columns = described.get("columns")
    columns = dict(columns) if isinstance(columns, dict) else None
    given = columns or {}
    for what, found, hint in (
        ("pairs of a good and a bad answer", described.get("ranking"), "train on the good answers alone"),
        ("labels of good and bad answers", given.get("kto_tag"), "filter the rows by their label"),
        ("images, audio or video", any(given.get(medium) for medium in MEDIA), "use rows without media"),
    ):
        if found:
            settings.record.refuse((key,), f"the dataset `{name}` has {what}, on which ftrun does not train", hint)
            return None
    if settings.get("stage", "sft") == "pt":
        return _read_text(name, key, columns, settings)
    formatting = described.get("formatting", "alpaca")
    if formatting == "alpaca":
        return _read_alpaca(name, key, columns, settings)
    if formatting == "sharegpt":
        return _read_sharegpt(columns, described.get("tags"), settings)
    if formatting == "openai":
        return _read_openai(name, key, columns, described.get("tags"), settings)
    settings.record.refuse((key,), f"the dataset `{name}` has the format `{formatting}`", "use alpaca or sharegpt")
    return None


def _read_text(name: str, key: str, columns: dict[str, Any] | None, settings: Settings) -> Formatter | None:
    """Return the formatter for plain texts: the prompt of a row is trained."""
    prompt, query = _column(columns, "prompt", "instruction"), _column(columns, "query", "input")
    if prompt and query:
        what = f"the dataset `{name}` joins two columns into a text: `{prompt}` and `{query}`"
        settings.record.refuse((key,), what, "name one column as `prompt`, and `query` as null")
        return None
    return {"name": "completion", "field": prompt or query or "text"}


def _column(columns: dict[str, Any] | None, name: str, default: str | None) -> str | None:
    """Return a column. If any column is named, LLaMA-Factory takes the others as absent."""
    return default if columns is None else columns.get(name)


def _read_alpaca(name: str, key: str, columns: dict[str, Any] | None, settings: Settings) -> Formatter | None:
    prompt, query = _column(columns, "prompt", "instruction"), _column(columns, "query", "input")
    response = _column(columns, "response", "output")
    if response is None or (prompt is None and query is None):
        what = f"the dataset `{name}` names no column with the {'answer' if response is None else 'question'}"
        settings.record.refuse((key,), what, "add `response` and `prompt` to its columns, or use stage: pt")
        return None
    if _column(columns, "tools", None):
        what = f"the dataset `{name}` has tools beside an instruction, which the formatter `alpaca` does not read"
        settings.record.refuse((key,), what, "write the rows as conversations")
        return None
    history = _column(columns, "history", None)
    if history and settings.get("mask_history"):
        what = f"the dataset `{name}` has earlier turns, which the formatter `alpaca` always trains"
        settings.record.refuse((key,), what, "write the rows as conversations, or leave mask_history out")
        return None
    first, second = (prompt, query) if prompt else (query, None)
    system = _column(columns, "system", None)
    wanted = {"instruction": first, "input": second, "output": response, "system": system, "history": history}
    defaults = {"instruction": "instruction", "input": "input", "output": "output"}
    options = {option: column for option, column in wanted.items() if column != defaults.get(option, "")}
    return {"name": "alpaca", **options}


def _read_sharegpt(columns: dict[str, Any] | None, tags: Any, settings: Settings) -> Formatter:
    tags = tags if isinstance(tags, dict) else None
    options: Formatter = {"name": "sharegpt"}
    messages = _column(columns, "messages", "conversations") or "conversations"
    if messages != "conversations":
        options["conversations"] = messages
    for option in ("system", "tools"):
        column = _column(columns, option, None)
        if column != option:
            options[option] = column
    for tag, option, default in (("role_tag", "role", "from"), ("content_tag", "content", "value")):
        value = default if tags is None else tags.get(tag)
        if value and value != default:
            options[option] = value
    roles = {}
    for tag, (default, role) in TAGS.items():
        word = default if tags is None else tags.get(tag)
        if word and KNOWN.get(word) != role:
            roles[word] = role
    return {**options, **({"roles": roles} if roles else {}), **_trained(settings)}


def _read_openai(
    name: str, key: str, columns: dict[str, Any] | None, tags: Any, settings: Settings
) -> Formatter | None:
    tags = tags if isinstance(tags, dict) else {}
    words = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    if other := next((tag for tag, word in words.items() if tags.get(tag) != word), None):
        what = f"the dataset `{name}` has the format `openai` with another `{other}` than `{words[other]}`"
        settings.record.refuse((key,), what, "use the format sharegpt with these tags")
        return None
    settings.record.check((key,), "dataset.formatter", f"`{name}`: {OPENAI_SYSTEM}")
    options: Formatter = {"name": "chat", "messages": _column(columns, "messages", "conversations")}
    for option in ("system", "tools"):
        column = _column(columns, option, None)
        if column != option:
            options[option] = column
    return {**options, **_trained(settings)}


def _trained(settings: Settings) -> Formatter:
    return {"trained": "last"} if settings.get("mask_history") else {}
