"""Columns that a formatter does not read: refused if they carry meaning, reported otherwise, dropped by name."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ftrun.api.errors import InvalidInput
from ftrun.api.rows import Row, Text
from ftrun_plugins.data.format import column_usage
from ftrun_plugins.data.format.column_usage import ColumnUsage, ReadValues
from helpers.format_stage import examples, formatted, read_json, written

LONG = "The harbour of Rotterdam was rebuilt after the war. " * 6
USER, ANSWER = {"role": "user", "content": "Who?"}, {"role": "assistant", "content": "The miller."}
CHAT = {"messages": [USER, ANSWER]}
ALPACA = {"instruction": "Who?", "output": "The miller."}
SHARE = {"conversations": [{"from": "human", "value": "Who?"}, {"from": "gpt", "value": "The miller."}]}
PAIR = {"question": "Who?", "answer": "The miller."}
AUTO = {"name": "auto"}

# Row, formatter and the column that nobody reads. Shapes of public datasets, in our own words.
MEANINGFUL: Mapping[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "context, as in Dolly": ({"instruction": "Who?", "context": "A mill.", "response": "The miller."}, AUTO, "context"),
    "context, as in SQuAD": ({**PAIR, "context": LONG}, AUTO, "context"),
    "the tables of a question": ({**PAIR, "context": "CREATE TABLE mill (age INTEGER)"}, AUTO, "context"),
    "documents": ({**PAIR, "documents": ["A mill.", "A river."]}, AUTO, "documents"),
    "a system prompt of another name": ({**ALPACA, "system_prompt": "Be brief."}, AUTO, "system_prompt"),
    "a system prompt beside messages": ({**CHAT, "system_message": "Be brief."}, AUTO, "system_message"),
    "a system prompt beside a prompt": (
        {"system": "Be brief.", "prompt": "Who?", "completion": "The miller."},
        AUTO,
        "system",
    ),
    "reasoning": ({**PAIR, "reasoning": "Only he has flour."}, AUTO, "reasoning"),
    "a chain of thought": ({**PAIR, "cot": "Only he has flour."}, AUTO, "cot"),
    "functions beside instructions": ({**ALPACA, "functions": [{"name": "look"}]}, AUTO, "functions"),
    "tools beside instructions": ({**ALPACA, "tools": '[{"name": "look"}]'}, AUTO, "tools"),
    "images": ({**CHAT, "images": ["a.png"]}, AUTO, "images"),
    "audio": ({**CHAT, "audios": ["a.wav"]}, AUTO, "audios"),
    "video": ({**SHARE, "videos": ["a.mp4"]}, AUTO, "videos"),
    "an image in a column of any name": ({**CHAT, "picture": {"bytes": "iVBOR", "path": "a.png"}}, AUTO, "picture"),
    "a label of KTO": ({"prompt": "Who?", "completion": "Nobody.", "label": False}, AUTO, "label"),
    "a label of LLaMA-Factory": ({**CHAT, "kto_tag": True}, AUTO, "kto_tag"),
    "choices of a question": ({**PAIR, "choices": ["The baker", "Nobody"]}, AUTO, "choices"),
    "rejected answers": ({**ALPACA, "rejected_response": "Nobody."}, AUTO, "rejected_response"),
    "a chosen answer": ({**ALPACA, "chosen": "The miller.", "rejected": "Nobody."}, AUTO, "chosen"),
    "weights": ({**PAIR, "weight": 0.5}, AUTO, "weight"),
    "a second conversation": (
        {**CHAT, "other": [USER, {"role": "assistant", "content": "Nobody."}]},
        {"name": "chat"},
        "other",
    ),
    "a conversation as text": (
        {**PAIR, "earlier": json.dumps([{"role": "user", "content": "Where? " * 40}])},
        {"name": "alpaca", "instruction": "question", "output": "answer"},
        "earlier",
    ),
    "a long text": ({**PAIR, "source_page": LONG}, AUTO, "source_page"),
    "a part of the conversation": ({"text": "Who?", "answer": "The miller."}, {"name": "completion"}, "answer"),
    "a number that is an answer": ({"text": "Who?", "answer": 42}, {"name": "completion"}, "answer"),
    "an option that is another column": (
        {"question": "Who?", "input": "At the mill.", "answer": "The miller."},
        {"name": "template", "prompt": "{question}", "answer": "{answer}"},
        "input",
    ),
}

HARMLESS: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "metadata": ({**CHAT, "id": 7, "source": "forum", "url": "https://example.org/7", "score": 0.5}, AUTO),
    "empty values": ({**CHAT, "system": "", "tools": None, "images": [], "context": None, "functions": {}}, AUTO),
    "a prompt that the messages begin with": ({**CHAT, "prompt": "Who?"}, AUTO),
    "a rendered copy": ({**CHAT, "text": f"<s>[INST] {'Who?'} [/INST] The miller. </s>{' ' * 200}"}, AUTO),
    "the same conversation of another shape": ({**CHAT, **SHARE}, {"name": "chat"}),
    "numbers": ({**PAIR, "embedding": [0.5] * 300}, AUTO),
}


@pytest.mark.parametrize("name", MEANINGFUL)
def test_a_column_that_carries_meaning_stops_the_run(name: str, tmp_path: Path) -> None:
    row, formatter, column = MEANINGFUL[name]

    with pytest.raises(InvalidInput) as error:
        formatted(tmp_path, written(tmp_path / "data.jsonl", [row]), formatter)

    first = error.value.problems[0]
    assert (first.code, first.at) == ("unread-column", "data.jsonl:1")
    assert f"`{column}`" in first.what
    assert first.hint is not None
    assert f"dataset.ignore_columns=[{column}]" in first.hint


@pytest.mark.parametrize("name", MEANINGFUL)
def test_a_column_that_is_ignored_by_name_is_no_obstacle(name: str, tmp_path: Path) -> None:
    row, formatter, column = MEANINGFUL[name]
    data = written(tmp_path / "data.jsonl", [row])
    names = [column, "rejected"]

    artifact = formatted(tmp_path, data, formatter, ignore_columns=names)

    assert len(examples(artifact)) == 1


# Row, and the column that an option of the chosen formatter can take.
READABLE: Mapping[str, tuple[dict[str, Any], str]] = {
    "context of a question": ({**PAIR, "context": "A mill."}, "A mill."),
    "context, as in Dolly": ({"instruction": "Who?", "context": "A mill.", "response": "Ada."}, "A mill."),
    "a system prompt of another name": ({**PAIR, "system_prompt": "Be brief."}, "Be brief."),
    "a system prompt beside turns": ({**SHARE, "system_message": "Be brief."}, "Be brief."),
    "tools of another name": ({**CHAT, "available_tools": [{"name": "look", "parameters": {}}]}, "look"),
}


@pytest.mark.parametrize("name", READABLE)
@pytest.mark.parametrize("part", [None, "mills"])
def test_the_override_of_the_hint_reads_the_column(name: str, part: str | None, tmp_path: Path) -> None:
    row, text = READABLE[name]
    source = {"name": "jsonl", "path": str(written(tmp_path / "data.jsonl", [row]))}
    other = {"name": "jsonl", "path": str(written(tmp_path / "other.jsonl", [CHAT]))}

    def run(formatter: Any, folder: str) -> Path:
        (tmp_path / folder).mkdir()
        if part is None:
            return formatted(tmp_path / folder, source, formatter)
        parts = {part: {"source": source, "formatter": formatter}, "other": {"source": other, "formatter": AUTO}}
        return formatted(tmp_path / folder, None, None, parts=parts)  # type: ignore[arg-type]

    with pytest.raises(InvalidInput) as error:
        run(AUTO, "first")
    hint = error.value.problems[0].hint or ""
    key, _, value = hint.removeprefix("set ").partition(", or drop it")[0].partition("=")
    assert key == ("dataset.parts.mills.formatter" if part else "dataset.formatter")

    assert any(text in json.dumps(example) for example in examples(run(yaml.safe_load(value), "second")))


@pytest.mark.parametrize("role", ["held_out", "part", "held-out rows of a part"])
def test_a_column_of_other_sources_stops_the_run(role: str, tmp_path: Path) -> None:
    good = {"name": "jsonl", "path": str(written(tmp_path / "good.jsonl", [PAIR]))}
    bad = {"name": "jsonl", "path": str(written(tmp_path / "bad.jsonl", [{**PAIR, "context": "A mill."}]))}
    parts: dict[str, Any] = {"a": {"source": good}, "b": {"source": bad}}
    if role == "held-out rows of a part":
        parts = {"a": {"source": good, "held_out": bad}, "b": {"source": good}}
    dataset = {"held_out": bad} if role == "held_out" else {"parts": parts}

    with pytest.raises(InvalidInput) as error:
        formatted(tmp_path, good if role == "held_out" else None, AUTO, **dataset)

    (problem,) = error.value.problems
    assert problem.code == "unread-column"
    assert (problem.at or "").endswith("bad.jsonl:1")


@pytest.mark.parametrize("name", HARMLESS)
def test_a_column_that_carries_nothing_new_does_not_stop_the_run(name: str, tmp_path: Path) -> None:
    row, formatter = HARMLESS[name]

    artifact = formatted(tmp_path, written(tmp_path / "data.jsonl", [row]), formatter)

    assert len(examples(artifact)) == 1


def test_unread_columns_are_reported_with_counts_and_one_example(tmp_path: Path) -> None:
    rows = [{**CHAT, "id": number, "lang": "nl" if number == 3 else None} for number in range(1, 6)]

    artifact = formatted(tmp_path, written(tmp_path / "data.jsonl", rows), AUTO)

    report = read_json(artifact / "report.json")
    assert report["sources"][0]["unread_columns"] == [
        {"column": "id", "rows": 5, "place": "data.jsonl:1", "example": "1"},
        {"column": "lang", "rows": 1, "place": "data.jsonl:3", "example": '"nl"'},
    ]
    events = [read_json(line) for line in (tmp_path / "events").read_text().splitlines()]
    notes = [event["text"] for event in events if event["kind"] == "note"]
    assert notes == report["notes"]
    assert (
        notes[-1] == 'columns that `chat` does not read: `id` (5 rows, for example 1), `lang` (1 row, for example "nl")'
    )


def test_a_column_that_one_row_reads_is_read(tmp_path: Path) -> None:
    """Some formatters read a column only if another one has a certain value."""
    usage = ColumnUsage(frozenset())
    for line, reads in enumerate((False, True), start=1):
        row = usage.view(Row({"text": "a", "context": "b"}, "f", line))
        row.values["text"]
        if reads:
            row.values.get("context")
        usage.add(row, Text("a"))

    assert list(usage.problems("x")) == []
    assert usage.unread() == []


def test_what_is_read_seldom_is_found_in_later_rows() -> None:
    usage = ColumnUsage(frozenset())
    for line in range(1, 3001):
        row = usage.view(Row({"text": "a", "id": line, "context": "b"}, "f", line))
        row.values["text"]
        if line > 1500:
            row.values["context"]
        usage.add(row, Text("a"))

    assert [(column.name, column.rows) for column in usage.unread()] == [("id", 3000)]


def test_a_column_that_comes_late_is_watched_from_its_first_row() -> None:
    usage = ColumnUsage(frozenset())
    for line in range(1, 3001):
        more = {"context": "b"} if line == 2500 else {}
        row = usage.view(Row({"text": "a", "id": line, **more}, "f", line))
        row.values["text"]
        row.values.get("context")
        usage.add(row, Text("a"))

    assert [column.name for column in usage.unread()] == ["id"]


values = st.sampled_from(["x", " ", "", 0, 0.5, False, None, [], {}, ["x"], {"x": 1}, LONG, "-" * 300])
names = st.sampled_from(["a", "b", "c", "id"])


@given(st.lists(st.dictionaries(names, values), max_size=40), st.integers(0, 5), st.integers(1, 5))
def test_counts_are_exact_in_rows_of_any_columns(rows: list[dict[str, Any]], first: int, every: int) -> None:
    usage = ColumnUsage(frozenset())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(column_usage, "TRACK_FIRST", first)
        patch.setattr(column_usage, "TRACK_EVERY", every)
        for line, columns in enumerate(rows, start=1):
            row = usage.view(Row({"text": "a", **columns}, "f", line))
            row.values["text"]
            usage.add(row, Text("a"))

    with_value = (name for row in rows for name, value in row.items() if value not in column_usage.EMPTY)
    assert {column.name: column.rows for column in usage.unread()} == Counter(with_value)


def test_meaning_late_in_the_data_is_found(tmp_path: Path) -> None:
    rows = [{**CHAT, "context": ""}] * 2500 + [{**CHAT, "context": "A mill."}]

    with pytest.raises(InvalidInput) as error:
        formatted(tmp_path, written(tmp_path / "data.jsonl", rows), AUTO)

    assert [(problem.code, problem.at) for problem in error.value.problems] == [("unread-column", "data.jsonl:2501")]


def test_meaning_early_in_the_data_stops_early(tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", [{**CHAT, "context": "A mill."}] * 9000)

    with pytest.raises(InvalidInput):
        formatted(tmp_path, data, AUTO)

    assert len((tmp_path / "output" / "train.jsonl").read_bytes().splitlines()) == 2000


def test_bad_rows_and_unread_columns_are_reported_together(tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", [{**CHAT, "context": "A mill."}, {"messages": 1}])

    with pytest.raises(InvalidInput) as error:
        formatted(tmp_path, data, {"name": "chat"})

    assert [problem.code for problem in error.value.problems] == ["unread-column", "bad-rows", "wrong-type"]


def test_columns_that_the_recipe_decides_on_are_not_reported(tmp_path: Path) -> None:
    rows = [
        {"prompt": "Who?", "completion": "The miller.", "label": number > 2, "group": number} for number in range(9)
    ]
    keep = {"column": "label", "equals": True}

    artifact = formatted(
        tmp_path, written(tmp_path / "data.jsonl", rows), AUTO, filters=[keep], split={"by": "group", "held_out": 0.1}
    )

    assert "unread_columns" not in read_json(artifact / "report.json")["sources"][0]


def test_a_filter_by_length_does_not_use_a_column(tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", [{**PAIR, "context": "A mill."}])

    with pytest.raises(InvalidInput) as error:
        formatted(tmp_path, data, AUTO, filters=[{"column": "context", "max_characters": 100}])

    assert error.value.problems[0].code == "unread-column"


def test_an_option_that_is_null_ignores_its_column(tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", [{**ALPACA, "input": "At the mill."}])

    artifact = formatted(tmp_path, data, {"name": "alpaca", "input": None})

    assert [message["content"] for message in examples(artifact)[0]["messages"]] == ["Who?", "The miller."]


def test_auto_does_not_see_ignored_columns(tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", [{**CHAT, "conversations": [USER, {**ANSWER, "content": "Nobody."}]}])

    artifact = formatted(tmp_path, data, AUTO, ignore_columns=["conversations"])

    assert examples(artifact)[0]["messages"] == [USER, ANSWER]


def test_a_formatter_that_needs_an_ignored_column_rejects_the_row(tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", [CHAT])

    with pytest.raises(InvalidInput) as error:
        formatted(tmp_path, data, {"name": "chat"}, ignore_columns=["messages"])

    assert [problem.code for problem in error.value.problems] == ["bad-rows", "missing-value"]


def test_an_ignored_column_that_no_row_has_is_reported(tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", [{**CHAT, "id": 1}])

    formatted(tmp_path, data, AUTO, ignore_columns=["id", "url"])

    events = [read_json(line) for line in (tmp_path / "events").read_text().splitlines()]
    (warning,) = (event["text"] for event in events if event["kind"] == "warning")
    assert "`url`" in warning


def test_held_out_rows_keep_their_ignored_columns_for_evaluators(tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", [{**CHAT, "database": f"d{number}"} for number in range(50)])

    split = {"held_out": 0.5, "by": "database"}
    artifact = formatted(tmp_path, data, AUTO, ignore_columns=["database"], split=split)

    raw = [read_json(line) for line in (artifact / "held_out.rows.jsonl").read_text().splitlines()]
    assert raw
    assert all("database" in row for row in raw)


def test_each_part_of_a_mix_names_its_own_columns(tmp_path: Path) -> None:
    parts = {
        name: {
            "source": {"name": "jsonl", "path": str(written(tmp_path / f"{name}.jsonl", [{**CHAT, column: "x y"}]))},
            "ignore_columns": [column],
        }
        for name, column in (("a", "system"), ("b", "context"))
    }

    artifact = formatted(tmp_path, None, AUTO, parts=parts)

    assert len(examples(artifact)) == 2


@given(st.dictionaries(st.text(max_size=3), st.integers(), min_size=1), st.data())
def test_every_way_to_read_a_value_is_recorded(values: dict[str, int], data: st.DataObject) -> None:
    column = data.draw(st.sampled_from(sorted(values)))
    single = (lambda row: row[column], lambda row: row.get(column))
    for read in single:
        tracked = ReadValues(values)
        assert read(tracked) == values[column]
        assert tracked.read == {column}
    for read_all in (dict, list, lambda row: {**row}, lambda row: [*row.values()], json.dumps, lambda row: row.items()):
        tracked = ReadValues(values)
        read_all(tracked)
        assert tracked.read == set(values)
    tracked = ReadValues(values)
    assert column in tracked
    assert tracked.read == set()
