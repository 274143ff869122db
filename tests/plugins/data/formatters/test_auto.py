from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.formatters import Choice
from ftrun.api.rows import Chat, Rejected, Row, Text
from ftrun.utils.code_digest import _find_modules
from ftrun_plugins.data.format.formatter_selection import FIRST_ROWS
from ftrun_plugins.data.formatters.auto import CHOICES, Auto
from ftrun_plugins.data.formatters.detection import PAIRS
from ftrun_plugins.data.formatters.preferences import suggest_good_answers
from helpers.catalogue.case import is_about
from helpers.format_stage import examples, formatted, read_json, written

MESSAGES = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
CHAT = {"messages": MESSAGES}
SHARE = {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}
ALPACA = {"instruction": "a", "input": "", "output": "b"}
AUTO = {"name": "auto"}


def rows(*values: dict[str, Any]) -> list[Row]:
    return [Row(each, "data.jsonl", line) for line, each in enumerate(values, 1)]


def choice(*values: dict[str, Any]) -> Choice:
    return Auto().choose(rows(*values), Auto.Options())


def refused(*values: dict[str, Any]) -> tuple[Problem, ...]:
    with pytest.raises(InvalidInput) as error:
        choice(*values)
    return error.value.problems


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (CHAT, "chat"),
        ({"dialog": MESSAGES}, "chat, messages=dialog"),
        ({"messages": [{"role": "assistant", "tool_calls": []}]}, "chat"),
        (SHARE, "sharegpt"),
        ({"turns": SHARE["conversations"]}, "sharegpt, conversations=turns"),
        (ALPACA, "alpaca"),
        ({"instruction": "a", "response": "b"}, "alpaca, output=response"),
        ({"prompt": "a", "response": "b"}, "alpaca, instruction=prompt, output=response"),
        ({"question": "a", "answer": "b"}, "alpaca, instruction=question, output=answer"),
        ({"input": "a", "output": "b"}, "alpaca, instruction=input, output=output"),
        ({"tools": MESSAGES}, "chat, messages=tools"),
        ({"system": SHARE["conversations"]}, "sharegpt, conversations=system"),
        ({"tools": SHARE["conversations"]}, "sharegpt, conversations=tools"),
        ({"prompt": "a", "completion": "b"}, "template, prompt={prompt}, answer={completion}"),
        ({"text": "a"}, "completion"),
        ({"body": "a"}, "completion, field=body"),
    ],
)
def test_each_shape_has_its_formatter(row: dict[str, Any], name: str) -> None:
    found = choice(row)

    assert found.name == name
    assert not isinstance(found.formatter.format(rows(row)[0], found.options), Rejected) or "tool_calls" in str(row)


@pytest.mark.parametrize("pair", [("instruction", "output"), ("instruction", "response"), *PAIRS], ids="-".join)
@pytest.mark.parametrize("more", [{}, {"input": None}, {"context": "c"}], ids=["alone", "empty input", "more"])
def test_each_column_is_rendered_once(pair: tuple[str, str], more: dict[str, Any]) -> None:
    question, answer = pair
    row = {**more, question: "the question", answer: "the answer"}
    found = choice(row)

    assert found.formatter.format(rows(row)[0], found.options) == Chat(
        [{"role": "user", "content": "the question"}, {"role": "assistant", "content": "the answer"}]
    )


@pytest.mark.parametrize(
    "more", [{"text": "a b"}, {"id": 3}, {"prompt": "a"}, {"conversations": None}, {"tags": ["x"]}]
)
def test_conversations_go_before_all_else(more: dict[str, Any]) -> None:
    assert choice({**more, **CHAT}).name == "chat"


def test_the_reason_counts_rows() -> None:
    what = "a list of messages with role and content in `messages`"
    assert choice(CHAT).why == f"the only row has {what}"
    assert choice(*[CHAT] * 1000).why == f"each of the first 1,000 rows has {what}"
    assert choice({"messages": []}, CHAT, CHAT).why == f"2 of the first 3 rows have {what}"


def test_a_mixture_is_refused_with_the_rows_of_each_kind() -> None:
    first, *kinds = refused(CHAT, CHAT, ALPACA, CHAT, SHARE, ALPACA, CHAT, ALPACA)

    assert first.what == "the first 8 rows have 3 different shapes"
    assert [(kind.what, kind.at) for kind in kinds] == [
        ("4 rows have a list of messages with role and content in `messages`", "data.jsonl:1-2, 4, 7"),
        ("3 rows have texts in `instruction` and `output`", "data.jsonl:3, 6, 8"),
        ("1 row has a list of turns with from and value in `conversations`", "data.jsonl:5"),
    ]


@pytest.mark.parametrize("answer", [42, 0.5, True, False])
@pytest.mark.parametrize(
    ("question", "column"), [("instruction", "output"), ("question", "answer"), ("prompt", "completion")]
)
def test_an_answer_may_be_a_number_or_a_boolean(question: str, column: str, answer: object) -> None:
    chosen = choice({question: "How many?", column: answer})
    example = chosen.formatter.format(Row({question: "How many?", column: answer}, "f", 1), chosen.options)
    assert json.dumps(answer) in str(example)


@pytest.mark.parametrize(
    ("row", "setting"),
    [
        (
            {"prompt": "Who?", "chosen": "Ada.", "rejected": "Bob."},
            "{name: alpaca, instruction: prompt, output: chosen}",
        ),
        ({"chosen": CHAT["messages"], "rejected": CHAT["messages"]}, "{name: chat, messages: chosen}"),
        (
            {"chosen": SHARE["conversations"], "rejected": SHARE["conversations"]},
            "{name: sharegpt, conversations: chosen}",
        ),
        (
            {"prompt": CHAT["messages"][:1], "chosen": CHAT["messages"][1:], "rejected": CHAT["messages"][1:]},
            "{name: chat, messages: prompt, answer: chosen}",
        ),
    ],
)
def test_preference_data_is_refused_with_the_formatter_of_the_good_answers(row: dict[str, Any], setting: str) -> None:
    (problem,) = refused(row)
    assert f"dataset.formatter={setting} and dataset.ignore_columns=[rejected]" in (problem.hint or "")


def test_preferences_of_openai_are_not_rows_in_a_column() -> None:
    request = {"messages": CHAT["messages"][:1]}
    answers = {"preferred_output": CHAT["messages"][1:], "non_preferred_output": CHAT["messages"][1:]}
    (problem,) = refused({"input": request, **answers})
    setting = "{name: chat, messages: input, answer: preferred_output}"
    assert f"dataset.formatter={setting} and dataset.ignore_columns=[non_preferred_output]" in (problem.hint or "")


@pytest.mark.parametrize(
    "row",
    [
        {"conversations": SHARE["conversations"][:1], "chosen": 1, "rejected": 2},
        {"input": {"messages": []}, "preferred_output": CHAT["messages"][1:], "non_preferred_output": []},
        {"chosen": None, "rejected": None},
    ],
)
def test_other_preference_data_is_refused(row: dict[str, Any]) -> None:
    assert suggest_good_answers(row)


def test_rows_of_many_ranges_are_told_in_short() -> None:
    _, chats, alpacas = refused(*[CHAT, ALPACA] * 500)

    assert chats.at == "data.jsonl:1, 3, 5, 7, …"
    assert alpacas.what.startswith("500 ")


def test_an_unknown_shape_is_refused_with_the_known_ones() -> None:
    (problem,) = refused({"a": 1, "b": [1]}, {"a": 2, "b": []})

    assert problem.what == "no row has a shape that `auto` knows; the first has `a`, `b`"
    assert problem.at == "data.jsonl:1"
    assert "conversations (from, value)" in str(problem.expected)


def test_one_row_by_itself_is_formatted_by_its_own_shape() -> None:
    def one(values: dict[str, Any]) -> Any:
        return Auto().format(rows(values)[0], Auto.Options())

    assert one(CHAT) == Chat(MESSAGES)
    assert one({"text": "a"}) == Text("a")
    assert isinstance(one({"a": 1}), Rejected)


def test_the_code_of_all_choices_is_in_the_key() -> None:
    """Else an edit of one of them would leave a cached artifact that it did not make."""
    modules = _find_modules(Auto.__module__, "ftrun_plugins")

    assert {formatter.__module__ for formatter in CHOICES.values()} <= modules
    assert "ftrun_plugins.data.formatters.detection" in modules


# in the stage


@pytest.mark.parametrize("formatter", [AUTO, {"name": "alpaca", "instruction": "input"}], ids=["auto", "by hand"])
def test_the_question_of_an_input_and_output_row_is_trained_once(formatter: dict[str, str], tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", [{"input": "the question", "output": "the answer"}])

    (example,) = examples(formatted(tmp_path, data, formatter))

    assert [message["content"] for message in example["messages"]] == ["the question", "the answer"]


def events(folder: Path) -> list[dict[str, Any]]:
    return [read_json(line) for line in (folder / "events").read_text().splitlines()]


def test_the_choice_is_told_and_kept(tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", [SHARE] * 3)

    artifact = formatted(tmp_path, data, AUTO)

    why = "each of the first 3 rows has a list of turns with from and value in `conversations`"
    assert read_json(artifact / "report.json")["sources"][0]["chose"] == {"name": "sharegpt", "why": why}
    told = events(tmp_path)
    assert [event["text"] for event in told if event["kind"] == "note"] == [f"auto chose sharegpt: {why}"]
    assert read_json(artifact / "report.json")["notes"] == [f"auto chose sharegpt: {why}"]
    assert len(examples(artifact)) == 3


def test_it_makes_what_the_chosen_formatter_makes(tmp_path: Path) -> None:
    made = {}
    for name in ("auto", "sharegpt"):
        (tmp_path / name).mkdir()
        made[name] = formatted(tmp_path / name, written(tmp_path / "data.jsonl", [SHARE] * 3), {"name": name})

    assert (made["auto"] / "train.jsonl").read_bytes() == (made["sharegpt"] / "train.jsonl").read_bytes()


def test_each_source_has_its_own_choice(tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", [CHAT])
    held_out = written(tmp_path / "held_out.jsonl", [ALPACA])

    artifact = formatted(tmp_path, data, AUTO, held_out={"name": "jsonl", "path": str(held_out)})

    notes = [event["text"] for event in events(tmp_path) if event["kind"] == "note"]
    assert notes[0].startswith("auto chose chat: the only row has")
    assert notes[1].startswith("auto chose alpaca for the held-out rows: the only row has")
    assert [source["chose"]["name"] for source in read_json(artifact / "report.json")["sources"]] == ["chat", "alpaca"]


def test_rows_of_which_none_can_be_read_are_told_as_such(tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", b'{"messages": \nnull\n')

    with pytest.raises(InvalidInput) as error:
        formatted(tmp_path, data, AUTO, on_bad_row="skip")

    assert [(problem.code, problem.at) for problem in error.value.problems] == [
        ("bad-rows", None),
        ("truncated", "data.jsonl:1"),
        ("wrong-type", "data.jsonl:2"),
    ]


def test_bad_rows_are_passed_over_and_told_by_the_chosen_formatter(tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", b'{"messages": \n{"messages": []}\n{"text": {}}\n' + b'{"text": "a"}\n')

    artifact = formatted(tmp_path, data, AUTO, on_bad_row="skip")

    rejected = [read_json(line) for line in (artifact / "rejected.jsonl").read_text().splitlines()]
    assert [each["place"] for each in rejected] == ["data.jsonl:1", "data.jsonl:2", "data.jsonl:3"]
    assert is_about(rejected[2]["code"], rejected[2]["reason"], "wrong-type `text` is an object")


def test_a_row_behind_those_it_looks_at_is_one_bad_row(tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", [CHAT] * FIRST_ROWS + [ALPACA])

    artifact = formatted(tmp_path, data, AUTO, on_bad_row="skip")

    assert len(examples(artifact)) == FIRST_ROWS
