"""The source `hub` against a hub on loopback: which commit, which files, which rows."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.rows import Row
from ftrun.api.secrets import variables_of
from ftrun.api.sources import HubFiles
from ftrun_plugins.data.sources.hub_source import HubDataset, patterns
from helpers.hub import COMMIT, TOKEN, Hub, set_endpoint


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in variables_of("huggingface"):
        monkeypatch.delenv(name, raising=False)
    with Hub(tmp_path) as server:
        set_endpoint(server.url, monkeypatch)
        yield server


def hub_files(**options: Any) -> HubFiles:
    (external,) = HubDataset().externals(HubDataset.Options(**options))
    assert external.hub is not None
    return external.hub


def refusal(**options: Any) -> Problem:
    with pytest.raises(InvalidInput) as refused:
        hub_files(**options)
    return refused.value.problems[0]


def test_a_branch_is_looked_up_and_named(hub: Hub) -> None:
    found = hub_files(repo="a/b", files=("x.jsonl",))

    assert found == HubFiles("a/b", COMMIT, ("x.jsonl",), False, "main")
    hub_files(repo="a/b", revision="refs/convert/parquet")
    assert hub.requests == [
        "GET /api/datasets/a/b/revision/main",
        "GET /api/datasets/a/b/revision/refs%2Fconvert%2Fparquet",
    ]


def test_a_commit_is_taken_without_asking(hub: Hub) -> None:
    assert hub_files(repo="a/b", revision="ab" * 20).named is None
    assert hub.requests == []


def test_a_gated_dataset_needs_the_token(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(repo="gated/b").what == "gated/b is gated, private or misspelt, and no token is set"
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert refusal(repo="gated/b").what == "your token of the hub may not read gated/b"
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert hub_files(repo="gated/b").commit == COMMIT


def test_a_split_and_files_disagree() -> None:
    assert refusal(repo="a/b", split="train", files=("x",)).expected == "one of them"


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("train.jsonl", True),
        ("train.json.gz", True),
        ("train-00000-of-00002.parquet", True),
        ("data/train-00000-of-00002.parquet", True),
        ("train/0000.parquet", True),
        ("en/train/0000.parquet", True),
        ("training.jsonl", False),
        ("test.jsonl", False),
        ("train.txt", False),
        ("data/test-00000-of-00001.parquet", False),
    ],
)
def test_which_files_are_a_split(name: str, taken: bool) -> None:
    wanted = patterns(HubDataset.Options(repo="a/b", split="train"))

    assert any(fnmatch(name, pattern) for pattern in wanted) is taken


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("en/train-00000-of-00002.parquet", True),
        ("en/train.jsonl", True),
        ("en/data/train.jsonl.zst", True),
        ("de/train.jsonl", False),
        ("train.jsonl", False),
        ("en/test.jsonl", False),
    ],
)
def test_which_files_are_a_split_of_a_subset(name: str, taken: bool) -> None:
    wanted = patterns(HubDataset.Options(repo="a/b", subset="en", split="train[:10%]"))

    assert any(fnmatch(name, pattern) for pattern in wanted) is taken


def test_which_files_are_a_subset() -> None:
    wanted = patterns(HubDataset.Options(repo="a/b", subset="en"))

    assert any(fnmatch("en/x/rows.csv", pattern) for pattern in wanted)
    assert not any(fnmatch("de/rows.csv", pattern) for pattern in wanted)


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("train", range(30)),
        ("train[:]", range(30)),
        ("train[:10%]", range(3)),
        ("train[50%:]", range(15, 30)),
        ("train[1%:12%]", range(4)),
        ("train[10:12]", range(10, 12)),
        ("train[28:]", range(28, 30)),
        ("train[-2:]", range(28, 30)),
        ("train[:-90%]", range(3)),
        ("train[40:]", range(0)),
        ("train[-100:1]", range(1)),
    ],
)
def test_a_part_of_a_split(split: str, expected: range, tmp_path: Path) -> None:
    for name, numbers in (("train-0.jsonl", range(20)), ("train-1.jsonl", range(20, 30))):
        (tmp_path / name).write_text("".join(f'{{"n": {number}}}\n' for number in numbers))

    rows = HubDataset().rows(HubDataset.Options(repo="a/b", split=split), {"a/b": tmp_path})

    assert [row.values["n"] for row in rows if isinstance(row, Row)] == list(expected)


@pytest.mark.parametrize("split", ["train[", "train[1]", "train[a:b]", "train[:10%", "train[::2]", "a b", ""])
def test_a_split_that_is_none_is_refused(split: str) -> None:
    with pytest.raises(ValidationError):
        HubDataset.Options(repo="a/b", split=split)


def test_rows_come_from_all_files_in_order_whatever_their_kind(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "b.csv").write_text("a\n1\n")
    (tmp_path / "data" / "a.jsonl").write_text('{"a": 2}\n')
    (tmp_path / "c.json").write_text('[{"a": 3}]')
    (tmp_path / "d.json").write_text('{"a": 4}\n{"a": 5}\n')
    (tmp_path / "README.md").write_text("# A dataset")

    rows = list(HubDataset().rows(HubDataset.Options(repo="a/b"), {"a/b": tmp_path}))

    assert [(row.file, row.line) for row in rows] == [
        ("c.json", 1), ("d.json", 1), ("d.json", 2), ("data/a.jsonl", 1), ("data/b.csv", 2)
    ]  # fmt: skip


@pytest.mark.parametrize("wrong", ["", "a/b/c", "../x/y", "a b", "https://huggingface.co/a/b"])
def test_a_name_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        HubDataset.Options(repo=wrong)
