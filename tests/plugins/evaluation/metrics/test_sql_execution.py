from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ftrun_plugins.evaluation.metrics.sql_database import Cell, Row, execute
from ftrun_plugins.evaluation.metrics.sql_execution import SqlExecution
from ftrun_plugins.evaluation.metrics.sql_result import same_result
from ftrun_plugins.evaluation.metrics.sql_statement import extract_statement, is_ordered

SCHEMA = """
CREATE TABLE pets (name TEXT, age INT, weight REAL, owner_id INT);
INSERT INTO pets VALUES ('Rex', 4, 20.5, 1), ('Bella', 7, 3.0, NULL), ('Milo', 2, 4.5, 1);
"""
ROW = {"schema": SCHEMA}
OPTIONS = SqlExecution.Options()
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"

cells = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.binary(max_size=3)
)
results = st.integers(1, 3).flatmap(lambda width: st.lists(st.tuples(*[cells] * width), max_size=8))


def score(prediction: str, reference: str = "SELECT name FROM pets WHERE age > 3") -> tuple[float, str | None]:
    return SqlExecution().score(prediction, reference, ROW, OPTIONS)


@pytest.mark.parametrize(
    "answer",
    [
        "SELECT 1",
        "  SELECT 1 ; \n",
        "SELECT 1;\nThis returns one.",
        "SELECT 1\n\nThis returns one.",
        "Here you go: SELECT 1;",
        "The query is:\n\nSELECT 1\n",
        "```sql\nSELECT 1;\n```",
        "```\nSELECT 1\n```",
        "```SELECT 1```",
        "```sql SELECT 1```",
        "First try:\n```SQL\nSELECT 2\n```\nThat isn't right; this is:\n```sql\nSELECT 1\n```",
        "The tables:\n```sql\nCREATE TABLE t (a INT);\n```\nThe query:\n```sql\nSELECT 1\n```",
        "```sql\n-- the first\nSELECT 2\n```\n[SQL] SELECT 1 [/SQL]",
        "```sql\nSELECT 1\n```\nIt returns\n```\n1\n```",
        "SELECT 1\n\n```\n1\n```",
        "You can use `SELECT 1`.",
        "Use `SELECT` as in `SELECT 1;` for this.",
        "<think>\nPerhaps ```SELECT 2```?\n</think>\n\nSELECT 1",
        "so ```SELECT 2```\n</think>\n```sql\nSELECT 1\n```",
        "```sql\nSELECT 1",
        "[SQL] SELECT 1; [/SQL] done",
        "[SQL]\nSELECT 1",
    ],
)
def test_extracts_the_statement(answer: str) -> None:
    assert extract_statement(answer) == "SELECT 1"


@pytest.mark.parametrize(
    ("answer", "statement"),
    [
        ("SELECT ';' AS \"a;b\" -- c;d\n;", "SELECT ';' AS \"a;b\" -- c;d"),
        ("SELECT 'a\n\nb'", "SELECT 'a\n\nb'"),
        ("With this you get it:\nWITH a AS (SELECT 1) SELECT * FROM a;", "WITH a AS (SELECT 1) SELECT * FROM a"),
        ("```SELECT\n1\n```", "SELECT\n1"),
        ("SELECT 1; DROP TABLE pets;", "SELECT 1; DROP TABLE pets"),
        ("I do not know.", "I do not know."),
        ("", ""),
        ("``````", ""),
        ("SELECT `a b` FROM t", "SELECT `a b` FROM t"),
        ("<think> SELECT 1", ""),
    ],
)
def test_extracts_nothing_more_or_less(answer: str, statement: str) -> None:
    assert extract_statement(answer) == statement


@given(st.text(alphabet="SELECT 1;`'\"[]()/*-\n:", max_size=200))
def test_extraction_takes_any_answer(answer: str) -> None:
    assert extract_statement(answer) in answer


@pytest.mark.parametrize(
    "answer", ["[" * 100_000, "'" * 99_999, "/*" * 50_000, "`" * 100_000, "with a (" * 12_000, "/**/" * 25_000]
)
def test_extraction_is_quick(answer: str) -> None:
    start = time.perf_counter()
    extract_statement(f"```sql {answer}```")
    extract_statement(f"SELECT {answer}")
    extract_statement(answer)
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    ("statement", "ordered"),
    [
        ("SELECT a FROM t ORDER BY a", True),
        ("select a from t order\n  by a limit 1", True),
        ("SELECT a FROM (SELECT a FROM t ORDER BY a)", False),
        ("SELECT a, ROW_NUMBER() OVER (ORDER BY a) FROM t", False),
        ("SELECT a FROM t WHERE b = ') ORDER BY a'", False),
        ("SELECT a FROM t -- ORDER BY a", False),
        ("SELECT a FROM (SELECT a FROM t) WHERE b = '(' ORDER BY a", True),
        ("SELECT border by_me FROM t", False),
    ],
)
def test_is_ordered(statement: str, ordered: bool) -> None:
    assert is_ordered(statement) is ordered


def test_executes() -> None:
    assert execute(SCHEMA, "SELECT name, owner_id FROM pets WHERE weight < 4").rows == (("Bella", None),)
    assert execute(SCHEMA, f"{ENDLESS} SELECT x FROM c LIMIT 3").rows == ((1,), (2,), (3,))
    assert execute(SCHEMA, "SELECT name FROM pets WHERE age > 99").rows == ()
    assert execute(SCHEMA, "SELECT trim(' a ')").rows == (("a",),)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("SELECT agee FROM pets", "no such column: agee"),
        ("SELECT 1; SELECT 2", "one statement at a time"),
        ("SELECT 1; DROP TABLE pets", "one statement at a time"),
        ("", "no statement"),
        ("-- nothing", "no statement"),
        ("I do not know.", "syntax error"),
        ("SELECT ?", "binding"),
        ("SELECT printf('%d', age) FROM pets", "calls a function that may take too long"),
        ("SELECT '\0'", "null character"),
        ("SELECT '\ud800'", "surrogates"),
        ("SELECT CAST(x'ff' AS TEXT)", "UTF-8"),
    ],
)
def test_says_what_is_wrong(statement: str, reason: str) -> None:
    assert reason in str(execute(SCHEMA, statement).error)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO pets VALUES ('Max', 1, 1.0, 1)",
        "INSERT INTO pets VALUES ('Max', 1, 1.0, 1) RETURNING name",
        "WITH a AS (SELECT 1) DELETE FROM pets",
        "UPDATE pets SET age = 1",
        "DROP TABLE pets",
        "CREATE TABLE t (a)",
        "CREATE TEMP TABLE t AS SELECT 1",
        "CREATE VIRTUAL TABLE t USING fts5(a)",
        "PRAGMA hard_heap_limit = 0",
        "PRAGMA user_version",
        "SELECT * FROM pragma_database_list",
        "ATTACH ':memory:' AS other",
        "DETACH main",
        "VACUUM",
        "REINDEX",
        "ANALYZE",
        "BEGIN",
        "COMMIT",
        "SAVEPOINT a",
        "SELECT load_extension('/lib/libc.so.6')",
        "SELECT readfile('/etc/passwd')",
        "SELECT writefile('/tmp/a', 'b')",
    ],
)
def test_only_reads(statement: str) -> None:
    result = execute(SCHEMA, statement)
    assert result.error is not None
    assert result.rows == ()


@pytest.mark.parametrize("template", ["ATTACH '{}' AS other", "VACUUM INTO '{}'", "SELECT writefile('{}', 'a')"])
def test_writes_no_file(template: str, tmp_path: Path) -> None:
    statement = template.format(tmp_path / "file")
    assert execute(SCHEMA, statement).error is not None
    with pytest.raises(ValueError, match="the schema does not load"):
        execute(f"{SCHEMA}; {statement};", "SELECT 1")
    assert not list(tmp_path.iterdir())


HEAVY = {
    "endless count": f"{ENDLESS} SELECT COUNT(*) FROM c",
    "endless rows": f"{ENDLESS} SELECT x FROM c",
    "endless wide rows": f"{ENDLESS} SELECT hex(zeroblob(9000)) FROM c",
    "endless distinct": "WITH RECURSIVE c(x) AS (SELECT randomblob(19000) UNION SELECT randomblob(19000) FROM c) "
    "SELECT 1 FROM c",
    "endless sort": f"{ENDLESS} SELECT x, randomblob(19000) FROM c ORDER BY 2",
    "endless text": f"{ENDLESS} SELECT group_concat(x) FROM c",
    "big blob": "SELECT randomblob(1000000000)",
    "big zeroes": "SELECT hex(zeroblob(1000000000))",
    "big format": "SELECT printf('%.*c', 1000000000, 'a')",
    "big replace": "SELECT replace(hex(zeroblob(9000)), '0', hex(zeroblob(9000)))",
    "slow search": f"{ENDLESS} SELECT COUNT(instr(hex(zeroblob(9900)), hex(zeroblob(4900)) || x)) FROM c",
    "slow like": f"{ENDLESS} SELECT SUM(hex(zeroblob(9900)) LIKE '%0%0%0%0%0%0%0%0%0%0%1' || x) FROM c",
    "slow glob": f"{ENDLESS} SELECT SUM(hex(zeroblob(9900)) GLOB '*0*0*0*0*0*0*0*0*0*0*1' || x) FROM c",
    "slow trim": "SELECT trim(hex(zeroblob(9900)), hex(zeroblob(9900)))",
    "cross join": "SELECT COUNT(*) FROM " + ", ".join(f"pets AS p{number}" for number in range(30)),
    "doubling names": "WITH a0 AS (SELECT 1)"
    + "".join(f", a{n + 1} AS (SELECT 1 FROM a{n}, a{n})" for n in range(40))
    + " SELECT COUNT(*) FROM a40",
    "deep parentheses": "SELECT " + "(" * 4000 + "1" + ")" * 4000,
    "long union": " UNION ".join(["SELECT 1"] * 900),
    "many columns": "SELECT " + ", ".join(["1"] * 2000),
    "long statement": "SELECT '" + "a" * 1_000_000 + "'",
}


@pytest.mark.parametrize("statement", HEAVY.values(), ids=HEAVY.keys())
def test_bounds_time_and_memory(statement: str) -> None:
    tracemalloc.start()
    start = time.perf_counter()
    result = execute(SCHEMA, statement, seconds=0.3)
    seconds = time.perf_counter() - start
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.error is not None
    assert len(result.error) <= 200
    assert seconds < 3
    assert peak < 20_000_000


def test_a_long_line_of_calls_is_bounded() -> None:
    """SQLite looks at no clock within a row, so that the cost of each call and their number must be small."""
    texts = f"SELECT hex(zeroblob(6000)) AS a, hex(zeroblob(3000)) || '1' AS b, '*{'0' * 98}1' AS g"
    for call in ("instr(a,b)", "(a GLOB g)", "length(replace(a,b,1))"):
        start = time.process_time()  # on a busy machine the clock says little
        statement = f"WITH t AS MATERIALIZED ({texts}) SELECT {'+'.join([call] * 150)} FROM t"
        assert execute(SCHEMA, statement, seconds=60).error is None
        assert time.process_time() - start < 6


def test_bounds_rows() -> None:
    assert len(execute(SCHEMA, f"{ENDLESS} SELECT x FROM c LIMIT 1000").rows) == 1000
    assert execute(SCHEMA, f"{ENDLESS} SELECT x FROM c LIMIT 1001").error == "returns more than 1000 rows"
    assert execute(SCHEMA, "SELECT name FROM pets", rows=2).error == "returns more than 2 rows"


def test_says_when_the_time_is_over() -> None:
    assert execute(SCHEMA, HEAVY["endless count"], seconds=0.1).error == "took longer than 0.1 s"


@given(st.text(alphabet="SELECT FROM pets*(),;'\"name-/%\n0", max_size=60))
def test_takes_any_statement(statement: str) -> None:
    result = execute(SCHEMA, statement)
    assert result.error is None or result.error == " ".join(result.error.split()) != ""


@given(results, st.randoms(use_true_random=False))
def test_a_multiset_equals_itself_in_any_order(rows: list[Row], rng: st.DataObject) -> None:
    shuffled = sorted(rows, key=lambda _: rng.random())  # type: ignore[attr-defined]
    assert same_result(rows, shuffled, ordered=False)
    assert same_result(rows, list(rows), ordered=True)


@given(results.filter(bool))
def test_a_lost_or_repeated_row_is_seen(rows: list[Row]) -> None:
    for ordered in (True, False):
        assert not same_result(rows, rows[1:], ordered)
        assert not same_result(rows, [*rows, rows[0]], ordered)


@pytest.mark.parametrize(
    ("reference", "candidate", "same"),
    [
        (3, 3.0, True),
        (1 / 3, 0.33333333, True),
        (1 / 3, 0.3334, False),
        (0.0, 1e-12, True),
        (10_000_000, 10_000_001, False),
        (10_000_000.0, 10_000_001, True),
        (float("inf"), float("inf"), True),
        (None, None, True),
        (None, 0, False),
        (None, "", False),
        (1, "1", False),
        ("a", b"a", False),
        ("a", "A", False),
    ],
)
def test_cells(reference: Cell, candidate: Cell, same: bool) -> None:
    assert same_result([(reference,)], [(candidate,)], ordered=True) is same
    assert same_result([(reference,)], [(candidate,)], ordered=False) is same


def test_the_tolerance_holds_in_a_multiset() -> None:
    assert same_result([("a", 1 / 3), ("b", 2.0)], [("b", 2), ("a", 0.3333333333)], ordered=False)
    assert not same_result([("a", 1 / 3), ("b", 2.0)], [("a", 2), ("b", 0.3333333333)], ordered=False)
    assert not same_result([(1,), (1,), (2,)], [(1,), (2,), (2,)], ordered=False)


def test_scores_a_right_answer() -> None:
    assert score("SELECT p.name AS n FROM pets p WHERE p.age >= 4;") == (1.0, None)
    assert score("```sql\nSELECT name FROM pets WHERE age > 3 ORDER BY age DESC\n```") == (1.0, None)


@pytest.mark.parametrize(
    ("prediction", "reason"),
    [
        ("SELECT name FROM pets WHERE agee > 3", "no such column: agee"),
        ("SELECT name FROM pets WHERE age > 4", "returns 1 rows, not 2"),
        ("SELECT name, age FROM pets WHERE age > 3", "returns 2 columns, not 1"),
        ("SELECT name FROM pets WHERE age < 5", "returns different rows"),
        ("DELETE FROM pets", "is not a read-only statement"),
        ("", "no statement"),
    ],
)
def test_scores_a_wrong_answer(prediction: str, reason: str) -> None:
    assert score(prediction) == (0.0, reason)


def test_order_matters_where_the_reference_asks_for_one() -> None:
    reference = "SELECT name FROM pets ORDER BY age"
    assert score("SELECT name FROM pets ORDER BY age ASC", reference) == (1.0, None)
    assert score("SELECT name FROM pets ORDER BY age DESC", reference) == (0.0, "returns the rows in a different order")


@pytest.mark.parametrize(
    ("row", "reference", "reason"),
    [
        ({}, "SELECT 1", "no text in `schema`"),
        ({"schema": None}, "SELECT 1", "no text in `schema`"),
        ({"schema": "CREATE TABLE"}, "SELECT 1", "the schema does not load: .*incomplete input"),
        (
            {"schema": f"CREATE TABLE t AS {ENDLESS} SELECT x FROM c;"},
            "SELECT 1",
            "the schema does not load: interrupted",
        ),
        (ROW, "SELECT agee FROM pets", "the reference does not run: no such column: agee"),
    ],
)
def test_bad_data_is_not_the_models_fault(row: dict[str, object], reference: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        SqlExecution().score("SELECT 1", reference, row, OPTIONS)


def test_the_field_of_the_schema_is_an_option() -> None:
    options = SqlExecution.Options(schema_field="ddl")
    assert SqlExecution().score("SELECT 1", "SELECT 1", {"ddl": SCHEMA}, options) == (1.0, None)
    with pytest.raises(ValidationError):
        SqlExecution.Options.model_validate({"schema_fields": "ddl"})


@pytest.mark.parametrize(
    ("reference", "answer", "expected"),
    [
        # no row matches: the answer has to read the same columns
        ("SELECT name FROM pets WHERE age > 99", "SELECT name FROM pets WHERE age >= 100", 1.0),
        ("SELECT name FROM pets WHERE age > 99", "SELECT name FROM pets WHERE 0", 0.0),
        ("SELECT name FROM pets WHERE age > 99", "SELECT 1 WHERE 0", 0.0),
        ("SELECT name FROM pets WHERE age > 99", "SELECT name FROM pets WHERE weight > 99", 0.0),
        ("SELECT name FROM pets WHERE age > 99", "SELECT name, age FROM pets WHERE age > 99", 0.0),
        # no table has a row: a count of 0 is no evidence either
        ("SELECT COUNT(*) FROM none WHERE a > 1", "SELECT COUNT(*) FROM none WHERE a >= 2", 1.0),
        ("SELECT COUNT(*) FROM none WHERE a > 1", "SELECT 0", 0.0),
        ("SELECT COUNT(*) FROM pets WHERE age > 99", "SELECT COUNT(*) FROM pets WHERE weight > 99", 1.0),
    ],
)
def test_a_result_without_rows_is_no_evidence(reference: str, answer: str, expected: float) -> None:
    row = {"schema": f"{SCHEMA} CREATE TABLE none (a INT);"}
    assert SqlExecution().score(answer, reference, row, OPTIONS)[0] == expected


TIED = """
CREATE TABLE pets (name TEXT, age INT, owner TEXT);
INSERT INTO pets VALUES ('Ann', 1, 'x'), ('Bob', 2, 'x'), ('Cid', 2, 'y'), ('Dan', 3, 'y'), ('Eve', 3, 'y');
"""


def returning(*names: str) -> str:
    """A statement that returns names in this order."""
    return " UNION ALL ".join(f"SELECT '{name}'" for name in names)


@pytest.mark.parametrize(
    ("reference", "names", "expected"),
    [
        ("SELECT name FROM pets ORDER BY age", ("Ann", "Cid", "Bob", "Eve", "Dan"), 1.0),
        ("SELECT name FROM pets ORDER BY age", ("Bob", "Ann", "Cid", "Dan", "Eve"), 0.0),
        ("SELECT name FROM pets ORDER BY age DESC -- oldest first", ("Eve", "Dan", "Cid", "Bob", "Ann"), 1.0),
        ("SELECT name FROM pets ORDER BY age DESC, name", ("Eve", "Dan", "Bob", "Cid", "Ann"), 0.0),
        ("SELECT name FROM pets ORDER BY age DESC LIMIT 1", ("Eve",), 1.0),
        ("SELECT name FROM pets ORDER BY age DESC LIMIT 1", ("Cid",), 0.0),
        ("SELECT name FROM pets ORDER BY age DESC LIMIT 3", ("Eve", "Dan", "Bob"), 1.0),
        ("SELECT name FROM pets ORDER BY age DESC LIMIT 3", ("Eve", "Eve", "Bob"), 0.0),
        ("SELECT name FROM pets ORDER BY age LIMIT 1 OFFSET 2", ("Bob",), 1.0),
        ("SELECT name FROM pets ORDER BY age LIMIT 2, 1", ("Bob",), 1.0),
        ("SELECT name FROM pets ORDER BY age LIMIT 2, 1", ("Ann",), 0.0),
        ("SELECT name FROM pets ORDER BY age LIMIT 1 + 1", ("Ann", "Cid"), 0.0),  # a limit that is not read
        ("SELECT name AS n FROM pets ORDER BY length(n)", ("Eve", "Dan", "Cid", "Bob", "Ann"), 0.0),  # an alias
        ("SELECT name FROM pets ORDER BY length(name) NULLS LAST", ("Eve", "Dan", "Cid", "Bob", "Ann"), 1.0),
        ("SELECT owner FROM pets GROUP BY owner ORDER BY MAX(age) > 1, COUNT(*) > 1", ("y", "x"), 1.0),
        ("SELECT DISTINCT owner FROM pets ORDER BY 1", ("y", "x"), 0.0),
        ("SELECT name FROM pets UNION SELECT owner FROM pets ORDER BY name LIMIT 2", ("Bob", "Ann"), 0.0),
        (
            "WITH a AS (SELECT name, age FROM pets) SELECT name FROM a ORDER BY age",
            ("Ann", "Cid", "Bob", "Dan", "Eve"),
            1.0,
        ),
    ],
)
def test_rows_with_equal_sort_keys_may_come_in_any_order(
    reference: str, names: tuple[str, ...], expected: float
) -> None:
    assert SqlExecution().score(returning(*names), reference, {"schema": TIED}, OPTIONS)[0] == expected
