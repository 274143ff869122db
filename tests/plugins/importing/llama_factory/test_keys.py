"""The tables of `docs/how-to/move-from-llama-factory.md` say what the importer does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ftrun_plugins.importing.commands import import_file
from ftrun_plugins.importing.draft import RecipeDraft

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "move-from-llama-factory.md"
OPTIMIZATIONS = "override /optimizations"
BASE = {"model_name_or_path": "org/base", "dataset": "rows", "template": "chatml", "do_train": True}
# Keys that other keys need.
WITH: dict[str, dict[str, Any]] = {
    "finetuning_type: full": {"bf16": True},
    "use_dft_loss": {"finetuning_type": "full"},
    "use_muon": {"finetuning_type": "full"},
    "eval_dataset": {"eval_strategy": "no"},
    "fp8": {"bf16": True},
    "quantization_method": {"quantization_bit": 4},
}
INFO = {
    "rows": {"file_name": "rows.json"},
    "test": {"file_name": "test.json"},
    "talks": {"file_name": "talks.jsonl", "formatting": "sharegpt"},
}


def tables(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading, without the marks of code."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return [
        [cell.strip(" `") for cell in re.split(r"(?<=`) \| |\| (?=`)| \|$", line) if cell.strip(" |")] for line in rows
    ]


def imported(folder: Path, values: dict[str, Any], info: dict[str, Any] = INFO) -> tuple[RecipeDraft, str, list[str]]:
    """Return the recipe of a configuration, its text, and its problems, which include those of ftrun's checks."""
    (folder / "dataset_info.json").write_text(json.dumps(info))
    for entry in info.values():
        if name := entry.get("file_name"):
            (folder / name).write_text("[]\n")
    file = folder / "theirs.yaml"
    file.write_text(yaml.safe_dump(values))
    draft, text, problems = import_file(file, folder / "recipe.yaml")
    return draft, text, [problem.what for problem in problems]


def value_at(draft: RecipeDraft, path: str) -> Any:
    if path == "optimizations":
        (chosen,) = (c[OPTIMIZATIONS] for c in draft.values["defaults"] if OPTIMIZATIONS in c)
        return chosen
    value: Any = draft.values
    for name in path.split("."):
        value = value[name]
    return value


@pytest.mark.parametrize(("theirs", "ours"), tables("Keys"))
def test_a_key_has_its_place_in_the_recipe(theirs: str, ours: str, tmp_path: Path) -> None:
    setting = yaml.safe_load(theirs)
    more = next((values for start, values in WITH.items() if theirs.startswith(start)), {})
    draft, _, problems = imported(tmp_path, {**BASE, **more, **setting})
    assert problems == []
    ((path, expected),) = yaml.safe_load(ours).items()
    value = value_at(draft, path)
    assert expected in value if path == "optimizations" else value == expected
    (key,) = setting
    assert [entry.outcome for entry in draft.entries if entry.key == key] != []


@pytest.mark.parametrize(("theirs", "remedy"), tables("Keys without a way in"))
def test_a_key_without_a_way_in_is_refused(theirs: str, remedy: str, tmp_path: Path) -> None:
    more = next((values for start, values in WITH.items() if theirs.startswith(start)), {})
    draft, _, problems = imported(tmp_path, {**BASE, **more, **yaml.safe_load(theirs)})
    assert list(draft.of("refused"))
    assert problems
    assert remedy


def names_without_effect() -> list[str]:
    section = PAGE.read_text(encoding="utf-8").split("## Keys without an effect")[1].split("\n## ")[0]
    return re.findall(r"`(\w+)`", section)


@pytest.mark.parametrize("key", names_without_effect())
def test_a_key_without_an_effect_is_left_out(key: str, tmp_path: Path) -> None:
    draft, _, problems = imported(tmp_path, {**BASE, key: "yes"})
    assert problems == []
    assert [entry.outcome for entry in draft.entries if entry.key == key] == ["left-out"]


@pytest.mark.parametrize(("entry", "source", "formatter"), tables("Rows"))
def test_an_entry_of_dataset_info_becomes_a_source_and_a_formatter(
    entry: str, source: str, formatter: str, tmp_path: Path
) -> None:
    draft, _, problems = imported(tmp_path, BASE, {"rows": json.loads(entry)})
    assert problems == []
    assert draft.values["dataset"]["source"] == yaml.safe_load(source)
    assert draft.values["dataset"]["formatter"] == yaml.safe_load(formatter)


def test_the_tables_are_read() -> None:
    assert len(tables("Keys")) > 50
    assert len(tables("Keys without a way in")) > 10
    assert len(tables("Rows")) == 8
    assert len(names_without_effect()) > 8
