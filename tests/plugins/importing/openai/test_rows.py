"""The tables of rows in `docs/how-to/move-from-openai.md` say what the formatters do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ftrun.api.rows import Chat, Rejected, Row, Segments
from ftrun_plugins.data.formatters.auto import Auto
from ftrun_plugins.data.formatters.chat import ChatFormatter

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "move-from-openai.md"
ROWS = PAGE.read_text(encoding="utf-8").split("\n## Rows\n")[1].split("\n## ")[0]
ACCEPTED = re.findall(r"^\| `(\{.+\})` \| [^`|].* \|$", ROWS, re.MULTILINE)
REFUSED = re.findall(r"^\| `(\{.+\})` \| `([a-z-]+)` \|", ROWS, re.MULTILINE)


def formatted(values: dict[str, Any]) -> object:
    return ChatFormatter().format(Row(values, "export.jsonl", 1), ChatFormatter.Options())


@pytest.mark.parametrize("row", [row for row in ACCEPTED if "messages" in row])
def test_a_row_is_a_conversation_with_something_to_train(row: str) -> None:
    chat = formatted(json.loads(row))
    assert isinstance(chat, Chat)
    assert any(message["role"] == "assistant" and message.get("train", True) for message in chat.messages)
    assert bool(chat.tools) == ('"tools"' in row or '"functions"' in row)


@pytest.mark.parametrize("row", [row for row in ACCEPTED if "completion" in row])
def test_a_completion_is_trained_without_a_template(row: str) -> None:
    values = json.loads(row)
    segments = Auto().format(Row(values, "export.jsonl", 1), Auto.Options())
    assert isinstance(segments, Segments)
    assert segments.segments == ((values["prompt"], False), (values["completion"], True))


@pytest.mark.parametrize(("row", "code"), REFUSED)
def test_a_row_is_refused(row: str, code: str) -> None:
    rejected = formatted(json.loads(row))
    assert isinstance(rejected, Rejected)
    assert rejected.code == code


def test_the_settings_train_the_preferred_answer_of_a_refused_row() -> None:
    settings = yaml.safe_load(ROWS.split("\n    dataset:\n")[1].split("\n\n")[0])
    options = {key: value for key, value in settings["formatter"].items() if key != "name"}
    values = next(json.loads(row) for row, _ in REFUSED if "preferred_output" in row)
    kept = {column: value for column, value in values.items() if column not in settings["ignore_columns"]}
    chat = ChatFormatter().format(Row(kept, "export.jsonl", 1), ChatFormatter.Options(**options))
    assert isinstance(chat, Chat)
    assert chat.messages == [*values["input"]["messages"], *values["preferred_output"]]


def test_the_tables_are_read() -> None:
    assert (len(ACCEPTED), len(REFUSED)) == (6, 5)
