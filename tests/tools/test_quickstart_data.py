"""The quickstart's rows are what the generator makes, can be answered, and are fair to a model that never saw them."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ftrun_plugins.evaluation.metrics.sql_database import execute
from ftrun_plugins.evaluation.metrics.sql_execution import SqlExecution
from ftrun_plugins.evaluation.metrics.sql_result import same_result
from ftrun_plugins.evaluation.metrics.sql_statement import extract_statement, is_ordered

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "data" / "quickstart_sql"
FILES = ("train.jsonl", "held_out.jsonl")
LONGEST_PROMPT_AND_ANSWER, LONGEST_ANSWER = 262, 120  # characters: under 110 and 64 tokens of SmolLM2's tokenizer

Row = dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "quickstart_sql"
    subprocess.run([sys.executable, ROOT / "tools" / "make_quickstart_data.py", folder], check=True)
    return folder


def read(name: str) -> list[Row]:
    return [json.loads(line) for line in (SHIPPED / name).read_text(encoding="utf-8").splitlines()]


def question(row: Row) -> str:
    return str(row["messages"][0]["content"])


def answer(row: Row) -> str:
    return str(row["messages"][1]["content"])


def tables(schema: str) -> dict[str, frozenset[str]]:
    """The tables that SQLite finds in a schema, with their columns."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(schema)
        found = connection.execute("SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c").fetchall()
    return {table: frozenset(column for owner, column in found if owner == table) for table, _ in found}


@pytest.mark.parametrize("name", FILES)
def test_shipped_files_are_what_the_generator_makes(made: Path, name: str) -> None:
    assert (made / name).read_bytes() == (SHIPPED / name).read_bytes()


def test_sizes() -> None:
    assert len(read("train.jsonl")) == 576
    assert len(read("held_out.jsonl")) == 100
    assert sum((SHIPPED / name).stat().st_size for name in FILES) < 400_000


@pytest.mark.parametrize("name", FILES)
def test_rows_are_short_and_of_one_shape(name: str) -> None:
    for row in read(name):
        assert set(row) == {"messages", "schema", "id"}
        assert [list(message) for message in row["messages"]] == [["role", "content"]] * 2
        assert [message["role"] for message in row["messages"]] == ["user", "assistant"]
        assert len(question(row)) + len(answer(row)) <= LONGEST_PROMPT_AND_ANSWER
        assert len(answer(row)) <= LONGEST_ANSWER


@pytest.mark.parametrize("name", FILES)
def test_every_template_is_filled_in(name: str) -> None:
    assert not [row["id"] for row in read(name) if re.search(r"[{}]", question(row) + answer(row))]


@pytest.mark.parametrize("name", FILES)
def test_references_return_something_that_is_not_trivial(name: str) -> None:
    for row in read(name):
        result = execute(row["schema"], answer(row))
        assert result.error is None, row["id"]
        assert result.rows not in ((), ((0,),), ((1,),), ((None,),)), row["id"]


@pytest.mark.parametrize("name", FILES)
def test_the_prompt_shows_exactly_the_tables_of_the_schema(name: str) -> None:
    for row in read(name):
        shown = "; ".join(line for line in question(row).splitlines() if line.startswith("CREATE TABLE"))
        assert row["schema"].startswith(shown + "; INSERT INTO ")
        assert tables(shown) == tables(row["schema"])


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_asked_twice(name: str) -> None:
    rows = read(name)
    for key in ("id", "question", "statement"):
        values = [row["id"] if key == "id" else question(row) if key == "question" else answer(row) for row in rows]
        assert not [value for value, count in Counter(values).items() if count > 1]


def test_held_out_schemas_are_unknown_to_training() -> None:
    trained = [tables(row["schema"]) for row in read("train.jsonl")]
    held_out = [tables(row["schema"]) for row in read("held_out.jsonl")]
    assert len({next(iter(row)) for row in trained}) >= 15
    assert len({next(iter(row)) for row in held_out}) == 5
    assert not set().union(*trained) & set().union(*held_out)

    def columns(rows: list[dict[str, frozenset[str]]]) -> set[str]:
        return {column for row in rows for table in row.values() for column in table}

    assert columns(trained) & columns(held_out) == {"id", "name"}


def test_every_kind_of_question_is_trained_and_held_out() -> None:
    trained, held_out = (Counter(row["id"].split("-")[2] for row in read(name)) for name in FILES)
    assert set(trained) == set(held_out)
    assert min(trained.values()) >= 5


@pytest.mark.parametrize("name", FILES)
def test_no_order_is_left_to_chance(name: str) -> None:
    for row in read(name):
        if ordered := re.fullmatch(r"SELECT .*? FROM (.*) ORDER BY (\S+)(?: DESC)?(?: LIMIT \d)?", answer(row)):
            keys = execute(row["schema"], f"SELECT {ordered[2]} FROM {ordered[1]}").rows
            assert len(set(keys)) == len(keys) > 1, row["id"]


@pytest.mark.parametrize("name", FILES)
def test_answers_to_other_questions_of_the_schema_are_wrong(name: str) -> None:
    """A statement is right by accident only where two questions of a table have one result, which is rare."""
    rows = read(name)
    results = {row["id"]: execute(row["schema"], answer(row)).rows for row in rows}
    pairs = [(a, b) for a in rows for b in rows if a["id"] < b["id"] and a["id"].split("-")[0] == b["id"].split("-")[0]]
    same = [(a, b) for a, b in pairs if same_result(results[a["id"]], results[b["id"]], is_ordered(answer(a)))]
    assert len(same) < 0.03 * len(pairs)


@pytest.mark.parametrize("name", FILES)
def test_references_score_one(name: str) -> None:
    evaluator, options = SqlExecution(), SqlExecution.Options()
    for row in read(name):
        assert extract_statement(answer(row)) == answer(row)
        assert evaluator.score(f"```sql\n{answer(row)};\n```", answer(row), row, options) == (1.0, None)
