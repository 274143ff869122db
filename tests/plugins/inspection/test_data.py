"""`ftrun data` counts what is in a dataset, and masks what it finds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftrun.cli.main import run_command
from ftrun_plugins.inspection.data_summary import bars, histogram, steps_per_epoch
from helpers.format_stage import written

RECIPE = """
defaults:
  - override /model: tiny
  - override /dataset: jsonl_chat
  - override /evals: []
  - override /optimizations: [lora]
dataset:
  source: {path: rows.jsonl}
  split: {held_out: 0.3}
train: {sequence_len: 64, learning_rate: 1e-3, num_epochs: 1, micro_batch_size: 1}
"""


def chat(question: str, answer: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


@pytest.fixture
def rows(folder: Path) -> Path:
    rows = [chat(f"Question {number}?", "yes") for number in range(20)]
    rows += [chat("Question 1?", "yes"), chat("question  1", "no"), chat("Mail?", "jane.doe@mail.org")]
    (folder / "mine.yaml").write_text(RECIPE)
    return written(folder / "rows.jsonl", rows)


def test_a_summary(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["data", "recipe=mine.yaml", "--json"]) == 0

    summary = json.loads(capsys.readouterr().out)
    splits = summary["splits"]
    assert sum(split["rows"] for split in splits.values()) == 23
    assert sum(split["repeated"] for split in splits.values()) == 1
    assert sum(split["repeated_questions"] for split in splits.values()) == 2
    assert summary["overlap"]["rows"] == 0
    assert summary["sources"][0]["rows"] == 23
    assert [(finding["kind"], finding["rows"]) for finding in summary["sensitive"]] == [("e-mail address", 1)]
    assert "tokens" not in summary
    for split in splits.values():
        assert sum(count for *_, count in split["lengths"]) == split["rows"]


def test_the_text_has_the_counts_and_no_value(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["data", "recipe=mine.yaml"]) == 0

    text = capsys.readouterr().out
    assert "23 rows" in text
    assert "rows.jsonl:23" in text
    assert "jane.doe" not in text


def test_bad_rows_are_problems(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows.write_text(rows.read_text() + '{"messages": []}\n')

    assert run_command(["data", "recipe=mine.yaml"]) == 2

    assert "rows.jsonl:24" in capsys.readouterr().err


def test_histogram_and_bars() -> None:
    rows = histogram({3: 10, 5: 1})

    assert rows == [(4, 7, 10), (8, 15, 0), (16, 31, 1)]
    lines = list(bars(rows, width=10))
    assert [line.count("█") for line in lines] == [10, 0, 1]
    assert histogram({}) == []


@pytest.mark.parametrize(
    ("trainer", "steps"),
    [
        ({"micro_batch_size": 2}, 5),
        ({"micro_batch_size": 2, "gradient_accumulation_steps": 2}, 3),
        ({"micro_batch_size": 1, "sample_packing": True, "sequence_len": 100}, 4),
        ({"micro_batch_size": 1, "sample_packing": True}, None),
    ],
)
def test_steps_per_epoch(trainer: dict[str, Any], steps: int | None) -> None:
    assert steps_per_epoch({"rows": 10, "tokens": 300, "packing_efficiency": 0.75}, trainer) == steps
