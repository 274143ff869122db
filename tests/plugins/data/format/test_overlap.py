"""Held-out rows that training rows repeat are found, listed with both places, and stop the run on request."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from ftrun.api.artifacts import FormattedRows
from ftrun.api.errors import InvalidInput
from ftrun_plugins.data.format.overlap_index import NEAR, HeldOutIndex, RowTexts
from helpers.format_stage import formatted, read_json, written

WORDS = [f"word{number}" for number in range(2000)]
AUTO = {"name": "auto"}


def prose(seed: int, words: int = 60) -> list[str]:
    return random.Random(seed).choices(WORDS, k=words)


def chat(*turns: str, system: str | None = None) -> dict[str, Any]:
    messages = [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(turns)]
    return {"messages": ([{"role": "system", "content": system}] if system else []) + messages}


def text(*words: str) -> str:
    return " ".join(words)


BASE = prose(1)
CASES: list[tuple[str | None, dict[str, Any], dict[str, Any]]] = [
    ("equal", chat("What is a river?", "Water."), chat("what is  a RIVER", "water")),
    ("question", chat("What is a river?", "Water."), chat("What is a river?", "A lot of it.")),
    ("conversation", chat("Hi", "Hello", "What is a river?", "Water."), chat("Hi", "Hello")),
    ("conversation", chat("Hi", "Hello"), chat("Hi", "Hello", "What is a river?", "Water.")),
    ("near", chat(text(*BASE), "yes"), chat(text(*BASE[:30], "changed", *BASE[31:]), "yes")),
    ("passage", chat(text(*BASE), "yes"), chat(text(*prose(2), *BASE[20:33], *prose(3)), "no")),
    ("passage", chat(text(*BASE[:9]), "yes"), chat(text(*prose(2), *BASE[:8]), "no")),
    (None, chat(text(*BASE), "yes"), chat(text(*prose(2), *BASE[20:30], *prose(3)), "no")),
    (None, chat("What is a river?", "Water."), chat("What is a lake?", "Water.")),
    (None, chat("3 + 4", "7"), chat("3 - 4", "-1")),
]


@pytest.mark.parametrize(("kind", "held_out", "train"), CASES)
def test_kinds_of_overlap(kind: str | None, held_out: dict[str, Any], train: dict[str, Any], tmp_path: Path) -> None:
    artifact = format_both(tmp_path, [chat("Who?", "Me."), held_out], [chat("Where?", "Here."), train])

    found = list(FormattedRows(artifact).overlaps())
    expected = {"index": 1, "place": "held_out.jsonl:2", "kind": kind, "train": "train.jsonl:2", "rows": 1}
    assert found == ([expected] if kind else [])
    counted = read_json(artifact / "report.json")["overlap"]
    assert counted == {
        "held_out": 2,
        "rows": int(kind not in (None, "passage")),
        "kinds": {kind: 1} if kind else {},
    }


def format_both(folder: Path, held_out: list[Any], train: list[Any], **dataset: Any) -> Path:
    other = {"name": "jsonl", "path": str(written(folder / "held_out.jsonl", held_out))}
    return formatted(folder, written(folder / "train.jsonl", train), AUTO, held_out=other, **dataset)


def test_an_overlap_is_a_warning_with_the_file(tmp_path: Path) -> None:
    rows = [chat("What is a river?", "Water.")]

    format_both(tmp_path, rows, [*rows, *rows])

    events = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    (warning,) = (event for event in events if event["kind"] == "warning")
    assert warning["file"] == "overlap.jsonl"
    assert any(event.get("overlap") == 1 for event in events if event["kind"] == "metric")


def test_an_overlap_stops_the_run_on_request(tmp_path: Path) -> None:
    rows = [chat("What is a river?", "Water."), chat("What is a lake?", "Water.")]

    with pytest.raises(InvalidInput) as stopped:
        format_both(tmp_path, rows, [*rows, chat("What is a lake?", "A")], checks={"overlap": "stop"})

    (problem,) = stopped.value.problems
    assert problem.code == "held-out-overlap"
    assert problem.at == "held_out.jsonl:1 (training: train.jsonl:1), held_out.jsonl:2 (training: train.jsonl:2)"


def test_a_shared_passage_does_not_stop_the_run(tmp_path: Path) -> None:
    held_out, train = [chat(text(*BASE), "yes")], [chat(text(*prose(2), *BASE[:20]), "no")]

    artifact = format_both(tmp_path, held_out, train, checks={"overlap": "stop"})

    assert [row["kind"] for row in FormattedRows(artifact).overlaps()] == ["passage"]


def test_a_skipped_check_writes_nothing(tmp_path: Path) -> None:
    rows = [chat("What is a river?", "Water.")]

    artifact = format_both(tmp_path, rows, rows, checks={"overlap": "skip"})

    assert "overlap" not in read_json(artifact / "report.json")
    assert list(FormattedRows(artifact).overlaps()) == []


def test_instructions_that_rows_share_are_no_overlap(tmp_path: Path) -> None:
    """A fixed system prompt, or a fixed beginning of each prompt, is not what a row is about."""
    fixed = text(*prose(7, 40))
    rows = [chat(f"{fixed} {text(*prose(100 + n, 12))}", f"a{n}", system=fixed) for n in range(40)]

    artifact = format_both(tmp_path, rows[:10], rows[10:])

    assert list(FormattedRows(artifact).overlaps()) == []


@pytest.mark.parametrize("seed", range(30))
def test_every_row_that_is_nearly_equal_is_found(seed: int) -> None:
    """Compare the index with the similarity of all pairs: replaced, added and removed words at any place."""
    chance = random.Random(seed)
    held_out = [prose(seed * 100 + n, chance.randrange(10, 120)) for n in range(20)]
    index = HeldOutIndex(())
    for words in held_out:
        index.add(RowTexts({"text": text(*words)}))
    near = set()
    for number, words in enumerate(held_out):
        edited = list(words)
        for _ in range(chance.randrange(1, 4)):
            place = chance.randrange(len(edited))
            edited[place : place + chance.randrange(2)] = chance.choices(WORDS, k=chance.randrange(2))
        index.compare(RowTexts({"text": text(*edited)}), "x")
        shingles, others = ({tuple(side[n : n + 3]) for n in range(len(side) - 2)} for side in (words, edited))
        if len(shingles & others) / len(shingles | others) >= NEAR:
            near.add(number)

    assert {number for number, overlap in index.found.items() if overlap.kind in ("near", "equal")} == near
