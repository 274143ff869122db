"""The datasets of a configuration become sources, parts and held-out rows, or are refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftrun_plugins.importing.axolotl.importer import read
from ftrun_plugins.importing.draft import ImportContext, RecipeDraft

CHAT = {"path": "a/chats", "type": "chat_template"}
ALPACA = {"path": "b/tasks", "type": "alpaca"}
TEXTS = {"path": "c/texts", "type": "completion", "field": "body"}


def imported(*datasets: Any, **values: Any) -> RecipeDraft:
    context = ImportContext(Path("theirs.yaml"), Path.cwd(), {})
    return read({"base_model": "owner/model", "datasets": list(datasets), **values}, context)


def section(*datasets: Any, **values: Any) -> dict[str, Any]:
    draft = imported(*datasets, **values)
    assert list(draft.of("refused")) == []
    dataset: dict[str, Any] = draft.values["dataset"]
    return dataset


def refused(*datasets: Any, **values: Any) -> list[str]:
    return [entry.key for entry in imported(*datasets, **values).of("refused")]


def test_one_dataset_is_the_source(folder: Path) -> None:
    assert section(CHAT) == {
        "source": {"name": "hub", "repo": "a/chats", "split": "train"},
        "formatter": {"name": "chat"},
    }


def test_several_datasets_are_parts(folder: Path) -> None:
    parts = section(ALPACA, {**ALPACA, "path": "d/tasks"})
    assert list(parts["parts"]) == ["tasks", "tasks_2"]
    assert parts["formatter"]["name"] == "alpaca"
    assert all(list(part) == ["source"] for part in parts["parts"].values())


def test_parts_with_formatters(folder: Path) -> None:
    parts = section(ALPACA, {**ALPACA, "path": "d/more", "type": "alpaca:chat"})["parts"]
    assert [part["formatter"]["name"] for part in parts.values()] == ["alpaca", "template"]


def test_texts_beside_prompts_are_segments(folder: Path) -> None:
    parts = section(ALPACA, TEXTS)["parts"]
    assert parts["texts"]["formatter"] == {"name": "template", "prompt": "", "answer": "{body}"}


def test_chats_beside_texts_have_no_way_in(folder: Path) -> None:
    assert refused(CHAT, ALPACA) == ["datasets"]


def test_parts_share_the_keys_of_the_trainer(folder: Path) -> None:
    last = {"train_on_eos": "last"}
    assert refused({**CHAT, **last}, {**CHAT, "path": "d/more"}) == ["datasets"]
    assert section({**CHAT, **last}, {**CHAT, **last, "path": "d/more"})["trainer"] == last


def test_a_test_dataset_is_held_out(folder: Path) -> None:
    held_out = section(CHAT, test_datasets=[{**CHAT, "split": "test"}])["held_out"]
    assert held_out == {"name": "hub", "repo": "a/chats", "split": "test"}


def test_test_datasets_of_parts(folder: Path) -> None:
    other = {**ALPACA, "type": "alpaca:chat"}
    parts = section(ALPACA, other, test_datasets=[{**other, "split": "test"}])["parts"]
    assert ["held_out" in part for part in parts.values()] == [False, True]


def test_a_test_dataset_of_another_format_has_no_way_in(folder: Path) -> None:
    assert refused(CHAT, test_datasets=[ALPACA]) == ["test_datasets[0]"]
    assert refused(CHAT, test_datasets=[CHAT, CHAT]) == ["test_datasets[1]"]


@pytest.mark.parametrize("datasets", [None, [], "a/b", ["a/b"], [{"type": "alpaca"}], [{"path": "a/b"}], [{"path": 5}]])
def test_datasets_that_say_nothing(folder: Path, datasets: Any) -> None:
    context = ImportContext(Path("theirs.yaml"), Path.cwd(), {})
    draft = read({"base_model": "owner/model", "datasets": datasets}, context)
    assert list(draft.of("refused"))


def test_rows_of_tokens_have_no_way_in(folder: Path) -> None:
    assert refused({"path": "a/tokens", "type": None}) == ["datasets[0].type"]


@pytest.mark.parametrize(
    ("name", "content", "source"),
    [
        ("rows.jsonl", '{"a": 1}\n', "jsonl"),
        ("rows.json", '[{"a": 1}]', "json"),
        ("rows.json", '{"a": 1}\n{"a": 2}\n', "jsonl"),
        ("rows.csv", "a\n1\n", "csv"),
        ("rows.txt", "a\n", "text"),
        ("rows.parquet", "PAR1", "parquet"),
        ("rows", '{"a": 1}\n', "jsonl"),
    ],
)
def test_files(folder: Path, name: str, content: str, source: str) -> None:
    (folder / name).write_text(content)
    assert section({**ALPACA, "path": f"./{name}"})["source"] == {"name": source, "path": name}


def test_the_loader_wins_over_the_name(folder: Path) -> None:
    (folder / "rows.data").write_text("a\n1\n")
    assert section({**ALPACA, "path": "rows.data", "ds_type": "csv"})["source"]["name"] == "csv"


def test_a_loader_with_its_file(folder: Path) -> None:
    (folder / "rows.jsonl").write_text('{"a": 1}\n')
    values = {**ALPACA, "path": "json", "data_files": "rows.jsonl"}
    assert section(values)["source"] == {"name": "jsonl", "path": "rows.jsonl"}


def test_folders(folder: Path) -> None:
    (folder / "rows").mkdir()
    (folder / "rows" / "a.jsonl").write_text('{"a": 1}\n')
    assert section({**ALPACA, "path": "rows"})["source"] == {"name": "jsonl", "path": "rows"}
    (folder / "rows" / "b.csv").write_text("a\n1\n")
    assert refused({**ALPACA, "path": "rows"}) == ["datasets[0].path"]


def test_a_folder_of_save_to_disk(folder: Path) -> None:
    (folder / "saved").mkdir()
    (folder / "saved" / "dataset_info.json").write_text(json.dumps({}))
    assert refused({**ALPACA, "path": "saved"}) == ["datasets[0].path"]


def test_a_part_of_a_file_has_no_way_in(folder: Path) -> None:
    (folder / "rows.jsonl").write_text('{"a": 1}\n')
    assert refused({**ALPACA, "path": "rows.jsonl", "split": "train[:10]"}) == ["datasets[0].split"]


def test_rows_that_occur_twice(folder: Path) -> None:
    for datasets, outcome in (([CHAT], "changed"), ([CHAT, {**CHAT, "path": "d/more"}], "check")):
        draft = imported(*datasets, dataset_exact_deduplication=True)
        assert draft.values["dataset"]["filters"] == [{"distinct": True}]
        assert [entry.outcome for entry in draft.entries if entry.key == "dataset_exact_deduplication"] == [outcome]
