"""Rows that are nested under a key, and rows that are lists of turns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftrun.api.errors import InvalidInput
from helpers.format_stage import examples, formatted, read_json, written

TURNS = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "The miller."}]
SHARE = [{"from": "human", "value": "Who?"}, {"from": "gpt", "value": "The miller."}]
AUTO = {"name": "auto"}


def test_rows_under_a_key(tmp_path: Path) -> None:
    questions = [{"role": "user", "content": f"Who is number {number}?"} for number in range(20)]
    rows = [{"row": {"messages": [question, TURNS[1]], "n": n}} for n, question in enumerate(questions)]
    data = written(tmp_path / "data.jsonl", rows)

    artifact = formatted(tmp_path, data, AUTO, row_key="row", split={"held_out": 0.5})

    assert examples(artifact)[0]["messages"][1] == TURNS[1]
    raw = [read_json(line) for line in (artifact / "held_out.rows.jsonl").read_text().splitlines()]
    assert raw[0].keys() == {"messages", "n"}


def test_a_row_without_the_key_is_bad(tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", [{"row": {"messages": TURNS}}, {"messages": TURNS}, {"row": "x"}])

    with pytest.raises(InvalidInput) as error:
        formatted(tmp_path, data, AUTO, row_key="row")

    problems = error.value.problems
    assert [(problem.code, problem.at) for problem in problems[1:]] == [
        ("missing-value", "data.jsonl:2, data.jsonl:3"),
    ]


@pytest.mark.parametrize("key", ["row", "data", "example"])
def test_auto_names_the_key(key: str, tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", [{"n": 1, key: {"messages": TURNS}}])

    with pytest.raises(InvalidInput) as error:
        formatted(tmp_path, data, AUTO)

    (problem,) = error.value.problems
    assert problem.code == "unknown-format"
    assert f"dataset.row_key={key}" in str(problem.hint)


@pytest.mark.parametrize("row", [TURNS, SHARE], ids=["messages", "turns"])
@pytest.mark.parametrize("source", ["jsonl", "json"])
def test_rows_that_are_lists_of_turns(row: list[Any], source: str, tmp_path: Path) -> None:
    text = json.dumps([row, row]) if source == "json" else f"{json.dumps(row)}\n{json.dumps(row)}\n"
    data = written(tmp_path / f"data.{source}", text.encode())

    artifact = formatted(tmp_path, {"name": source, "path": str(data)}, AUTO)

    assert [example["messages"] for example in examples(artifact)] == [TURNS, TURNS]


def test_a_key_twice_in_a_list_of_turns_is_found(tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", b'[{"role": "user", "content": "a", "content": "b"}]\n')

    with pytest.raises(InvalidInput) as error:
        formatted(tmp_path, data, {"name": "chat"})

    assert error.value.problems[1].code == "duplicate-key"
