"""Executes the lesson `docs/tutorials/first-recipe.md`: from rows to a served model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.lessons import read_blocks, write_file
from helpers.pages import Shell, check_printed, free_port
from helpers.workplace import Workplace, read_json

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PORT = "8000"  # of the lesson
FIELDS = {"item", "colour", "count", "city"}


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Workplace]:
    empty = Workplace(tmp_path / "lesson")
    empty.folder.mkdir()
    yield empty
    empty.close()


def test_the_lesson_leads_from_rows_to_a_served_model(workplace: Workplace) -> None:
    shell, port = Shell(workplace), free_port()
    blocks = iter([(language, text.replace(PORT, port)) for language, text in read_blocks("first-recipe.md")])
    printed, answers = "", []
    for language, text in blocks:
        if language == "text":
            check_printed(text, printed)
        elif language == "bash" and "ftrun serve" in text:
            with shell.server(text):
                _, request = next(blocks)
                answers.append(json.loads(shell.run(request)))
        elif language == "bash":
            printed = shell.run(text)
        elif language:
            write_file(text, workplace.folder)
        else:
            command, _, expected = text.partition("\n")
            check_printed(expected, shell.run(command.removeprefix("$ "), expected=2))
    (run,) = workplace.runs()
    assert read_json(run / "run.json")["status"] == "done"
    (answer,) = answers
    assert set(json.loads(answer["choices"][0]["message"]["content"])) == FIELDS
