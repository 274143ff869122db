"""Executes `docs/how-to/move-from-openai.md`: from an export of OpenAI to a tuned, served model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.lessons import DOCS, read_blocks, write_file
from helpers.pages import Shell, check_printed, free_port
from helpers.workplace import Workplace, read_json

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PAGE = "move-from-openai.md"
PORT = "8000"  # of the page


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Workplace]:
    empty = Workplace(tmp_path / "walk")
    empty.folder.mkdir()
    yield empty
    empty.close()


def test_the_page_leads_from_an_export_to_a_served_model(workplace: Workplace) -> None:
    shell, port = Shell(workplace), free_port()
    page = read_blocks(PAGE, DOCS / "how-to")
    blocks = iter([(language, text.replace(PORT, port)) for language, text in page])
    printed, answers = "", []
    for language, text in blocks:
        if language == "text":
            check_printed(text, printed)
        elif language == "bash" and "ftrun serve" in text:
            (_, program), (_, request) = next(blocks), next(blocks)
            write_file(program, workplace.folder)
            with shell.server(text):
                answers.append(shell.run(request))
        elif language == "bash":
            printed = shell.run(text)
        else:
            write_file(text, workplace.folder)
    (run,) = workplace.runs()
    assert read_json(run / "run.json")["status"] == "done"
    (answer,) = answers
    assert "bike_status" in answer
    assert "55" in answer
