"""Rows that belong together stay on one side of the split. Each case let held-out rows into the training before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ftrun.api.recipe import Split
from ftrun.api.rows import Chat, Row, Segments, Text
from ftrun_plugins.data.format.holdout import Splitter
from helpers.format_stage import examples, formatted, read_json, written

QUESTIONS = [f"Which river flows through city number {number}?" for number in range(60)]


def turns(*texts: str) -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[number % 2], "content": text} for number, text in enumerate(texts)]


PAIRS: dict[str, Callable[[str, int], list[dict[str, Any]]]] = {
    "identical": lambda question, _: [{"messages": turns(question, "a")}] * 2,
    "id": lambda question, number: [{"messages": turns(question, "a"), "id": number + 100 * n} for n in range(2)],
    "white space": lambda question, _: [{"messages": turns(text, "a")} for text in (question, f"  {question}\n")],
    "case": lambda question, _: [{"messages": turns(text, "a")} for text in (question, question.upper())],
    "unicode": lambda question, _: [
        {"messages": turns(text, "a")} for text in (f"na\u00efve {question}", f"nai\u0308ve {question}")
    ],
    "other answer": lambda question, _: [{"messages": turns(question, answer)} for answer in ("yes", "no")],
    "prefixes": lambda question, _: [{"messages": turns(question, "a", "Why?", "b")[:n]} for n in (2, 4)],
}


@pytest.mark.parametrize("kind", PAIRS)
def test_rows_that_belong_together_stay_on_one_side(kind: str, tmp_path: Path) -> None:
    pairs = [PAIRS[kind](question, number) for number, question in enumerate(QUESTIONS)]
    data = written(tmp_path / "data.jsonl", [row for pair in pairs for row in pair])

    artifact = formatted(tmp_path, data, {"name": "auto"}, split={"held_out": 0.4})

    train, held_out = ({pair_of(line) for line in examples(artifact, split)} for split in ("train", "held_out"))
    assert len(train) > 20
    assert len(held_out) > 10
    assert not train & held_out


def pair_of(line: dict[str, Any]) -> int:
    return (int(line["place"].rpartition(":")[2]) - 1) // 2


def test_shared_rows_of_two_parts_stay_on_one_side(tmp_path: Path) -> None:
    rows = [{"messages": turns(question, "a")} for question in QUESTIONS]
    parts = {
        name: {"source": {"name": "jsonl", "path": str(written(tmp_path / f"{name}.jsonl", rows))}} for name in "ab"
    }

    artifact = formatted(tmp_path, None, {"name": "auto"}, parts=parts, split={"held_out": 0.4})

    train, held_out = (
        {line["messages"][0]["content"] for line in examples(artifact, split)} for split in ("train", "held_out")
    )
    assert train
    assert held_out
    assert not train & held_out


def test_a_constant_column_does_not_redraw_the_held_out_rows(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"messages": turns(question, "a")} for question in QUESTIONS]
    drawn = []
    for more in ({}, {"licence": "MIT"}):
        folder = tmp_path / f"columns{len(more)}"
        folder.mkdir()
        data = written(folder / "data.jsonl", [{**row, **more} for row in rows])
        artifact = formatted(folder, data, {"name": "auto"}, split={"held_out": 0.4})
        drawn.append([line["place"] for line in examples(artifact, "held_out")])

    assert drawn[0] == drawn[1]


def test_rows_with_another_system_prompt_or_another_image_ask_something_else() -> None:
    def chat(system: str, image: str) -> Chat:
        parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": image}}]
        return Chat(
            [
                {"role": "system", "content": system},
                {"role": "user", "content": parts},
                {"role": "assistant", "content": "x"},
            ]
        )

    for examples_ in ([chat("s", f"image-{n}") for n in range(40)], [chat(f"s{n}", "i") for n in range(40)]):
        assert {is_held_out(example) for example in examples_} == {True, False}


def test_a_question_that_all_rows_share_is_divided_on_request() -> None:
    rows = [Chat(turns("Tell me a story.", f"story {number}")) for number in range(40)]

    assert len({is_held_out(row) for row in rows}) == 1
    assert {is_held_out(row, group="example") for row in rows} == {True, False}


def test_segments_and_texts_have_questions_too() -> None:
    prompts = [[Segments((("Q " + str(n), False), (answer, True))) for answer in "ab"] for n in range(40)]
    texts = [[Text(f"text {n}"), Text(f"Text  {n}.")] for n in range(40)]

    for pairs in (prompts, texts):
        sides = [{is_held_out(example) for example in pair} for pair in pairs]
        assert all(len(side) == 1 for side in sides)
        assert set.union(*sides) == {True, False}


def is_held_out(example: object, **split: Any) -> bool:
    return Splitter(Split(held_out=0.5, **split)).side(Row({}, "x", 1), example) == "held_out"


def test_validation_rows_are_a_third_side_and_leave_the_held_out_rows_as_they_are(tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", [{"messages": turns(question, "a")} for question in QUESTIONS])
    places: list[dict[str, set[str]]] = []
    for validation in (0, 0.3):
        (folder := tmp_path / str(validation)).mkdir()
        artifact = formatted(folder, data, {"name": "auto"}, split={"held_out": 0.2, "validation": validation})
        places.append(
            {
                split: {line["place"] for line in examples(artifact, split)}
                for split in ("train", "validation", "held_out")
            }
        )

    before, after = places
    assert before["held_out"] == after["held_out"]
    assert not before["validation"]
    assert len(after["validation"]) > 8
    assert after["train"] == before["train"] - after["validation"]
    report = read_json(tmp_path / "0.3/output/report.json")
    assert report["validation"] == len(after["validation"])


def test_a_part_with_held_out_rows_of_its_own_has_validation_rows(tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", [{"messages": turns(question, "a")} for question in QUESTIONS])
    held_out = {"name": "jsonl", "path": str(written(tmp_path / "h.jsonl", [{"messages": turns("Who?", "a")}]))}

    artifact = formatted(tmp_path, data, {"name": "auto"}, held_out=held_out, split={"validation": 0.3})

    assert len(examples(artifact, "validation")) > 8
    assert len(examples(artifact, "held_out")) == 1


def test_shares_that_leave_no_training_rows_are_refused() -> None:
    with pytest.raises(ValidationError):
        Split(held_out=0.5, validation=0.5)


def test_questions_about_one_docstring_stay_on_one_side_by_default(tmp_path: Path) -> None:
    source = {"name": "python_docs", "package": "json"}

    artifact = formatted(tmp_path, source, {"name": "auto"}, split={"held_out": 0.3})

    train, held_out = ({line["place"] for line in examples(artifact, split)} for split in ("train", "held_out"))
    assert train
    assert held_out
    assert not train & held_out
