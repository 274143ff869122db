"""The tables of the page for users of axolotl say what the import does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ftrun_plugins.importing.axolotl.importer import read
from ftrun_plugins.importing.axolotl.prompt_types import WITH_STYLES, WITHOUT_FORMATTER, WITHOUT_STYLES
from ftrun_plugins.importing.draft import ImportContext, RecipeDraft
from helpers.prompt_types import import_entry

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "move-from-axolotl.md"
BASE: dict[str, Any] = {
    "base_model": "owner/model",
    "datasets": [{"path": "owner/name", "type": "chat_template"}],
    "sequence_len": 512,
    "micro_batch_size": 1,
    "gradient_accumulation_steps": 1,
    "num_epochs": 1,
    "learning_rate": 1e-4,
    "optimizer": "adamw_torch",
}


def table(title: str) -> list[list[str]]:
    """The cells of each row of the table below a heading."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in row.strip("|").split(" |")] for row in rows]


def imported(values: dict[str, Any]) -> RecipeDraft:
    return read(values, ImportContext(Path("theirs.yaml"), Path.cwd(), {}))


def result(draft: RecipeDraft, key: str) -> tuple[str, str | None]:
    """What was said about a key; the last word counts if there are several."""
    (entry,) = [entry for entry in draft.entries if entry.key == key]
    return entry.outcome, entry.target


@pytest.mark.parametrize(("example", "outcome", "place"), table("Keys"))
def test_keys(example: str, outcome: str, place: str, folder: Path) -> None:
    values = yaml.safe_load(example.strip("`"))
    (key,) = values
    assert result(imported({**BASE, **values}), key) == (outcome, place.strip("`") or None)


@pytest.mark.parametrize(("example", "outcome", "place"), table("Keys of a dataset"))
def test_keys_of_a_dataset(example: str, outcome: str, place: str, folder: Path) -> None:
    values = yaml.safe_load(example.strip("`"))
    (key,) = values
    draft = imported({**BASE, "datasets": [{**BASE["datasets"][0], **values}]})
    assert result(draft, f"datasets[0].{key}") == (outcome, place.strip("`") or None)


TYPES = [(kind, made) for kinds, made in table("Dataset types") for kind in re.findall("`([^`…]+)`", kinds)]


@pytest.mark.parametrize(("kind", "made"), TYPES)
def test_dataset_types(kind: str, made: str) -> None:
    part, draft = import_entry({"type": kind})
    if made.startswith("refused"):
        assert part is None
        assert [entry.outcome for entry in draft.entries if entry.key == "datasets[0].type"] == ["refused"]
    else:
        assert part is not None
        assert part.formatter["name"] == re.findall("`([^`]+)`", made)[0]


def test_the_page_has_every_dataset_type() -> None:
    named = {kind for kind, _ in TYPES}
    assert {*WITHOUT_STYLES, *WITH_STYLES, *WITHOUT_FORMATTER} <= named
