from __future__ import annotations

from typing import Any

import pytest

from ftrun.api.rows import Chat, Rejected, Row, Segments
from ftrun_plugins.data.formatters.alpaca import Alpaca
from helpers.catalogue.case import is_about


def formatted(values: dict[str, Any], **options: Any) -> Chat | Segments | Rejected:
    return Alpaca().format(Row(values, "data.jsonl", 7), Alpaca.Options(**options))


def turns(values: dict[str, Any], **options: str | None) -> list[tuple[str, str]]:
    outcome = formatted(values, **options)
    assert isinstance(outcome, Chat), outcome
    return [(message["role"], message["content"]) for message in outcome.messages]


def test_the_input_stands_under_the_instruction() -> None:
    row = {"instruction": "Translate.", "input": "Regen", "output": "rain"}

    assert turns(row) == [("user", "Translate.\nRegen"), ("assistant", "rain")]


@pytest.mark.parametrize(
    "empty", [{}, {"input": ""}, {"input": None}, {"input": " \n"}, {"history": []}, {"system": ""}]
)
def test_what_is_empty_is_left_out(empty: dict[str, Any]) -> None:
    assert turns({"instruction": "Hi?", "output": "Hi.", **empty}) == [("user", "Hi?"), ("assistant", "Hi.")]


def test_a_system_prompt_and_earlier_turns() -> None:
    row = {"instruction": "c", "output": "d", "system": "s", "history": [["a", "b"]]}

    assert turns(row) == [("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")]


@pytest.mark.parametrize("option", ["input", "system", "history"])
@pytest.mark.parametrize("text", ["instruction", "output"])
def test_a_default_gives_way_to_an_option_that_names_its_column(option: str, text: str) -> None:
    row = {"instruction": "a", "output": "b"}
    row[option] = row.pop(text)

    assert turns(row, **{text: option}) == [("user", "a"), ("assistant", "b")]


def test_a_column_can_be_switched_off() -> None:
    row = {"instruction": "a", "input": "notes", "output": "b"}

    assert turns(row, input=None) == [("user", "a"), ("assistant", "b")]


def test_other_columns_can_be_named_and_must_be_there_then() -> None:
    names = {"instruction": "question", "output": "answer", "input": "context"}
    row = {"question": "a", "answer": "b", "context": "c"}

    assert turns(row, **names) == [("user", "a\nc"), ("assistant", "b")]
    rejected = formatted({"question": "a", "answer": "b"}, **names)
    assert isinstance(rejected, Rejected)
    assert is_about(rejected.code, rejected.reason, "missing-value `context`")


PREFACE = "Write a response that appropriately completes the request.\n\n### Instruction:\nAdd.\n\n"


@pytest.mark.parametrize(
    ("row", "prompt"),
    [
        ({}, f"Below is an instruction that describes a task. {PREFACE}### Response:\n"),
        (
            {"input": "1 + 1"},
            "Below is an instruction that describes a task, paired with an input that provides further context. "
            f"{PREFACE}### Input:\n1 + 1\n\n### Response:\n",
        ),
        ({"system": "Be brief."}, "Be brief.\n\n### Instruction:\nAdd.\n\n### Response:\n"),
    ],
)
def test_the_prompt_of_stanford_alpaca(row: dict[str, Any], prompt: str) -> None:
    values = {"instruction": "Add.", "output": "2", **row}
    example = Alpaca().format(Row(values, "f", 1), Alpaca.Options(style="text"))
    assert example == Segments(((prompt, False), ("2", True)))


def test_earlier_turns_have_no_place_in_that_prompt() -> None:
    row = Row({"instruction": "Add.", "output": "2", "history": [["a", "b"]]}, "f", 1)
    rejected = Alpaca().format(row, Alpaca.Options(style="text"))
    assert isinstance(rejected, Rejected)
    assert rejected.code == "turn-order"
