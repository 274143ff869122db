"""Evaluator `sql_execution`: SQL answers, compared by their results on a small database of the row.

An answer is hostile input: it runs on a read-only in-memory SQLite with limits on time, memory and the size of the
result. A wrong schema or reference raises `ValueError`; a wrong answer scores 0.
"""

from __future__ import annotations

import math
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from ftrun.api.rows import Options as BaseOptions

Cell: TypeAlias = str | int | float | bytes | None
Row: TypeAlias = tuple[Cell, ...]

RESULT_BYTES = 1_000_000
HEAP_BYTES = 128_000_000
STEPS_BETWEEN_CHECKS = 20  # of SQLite's virtual machine; few, because one step may scan a whole value
SCHEMA_CHARACTERS, STATEMENT_CHARACTERS = 1_000_000, 4_000
REASON_CHARACTERS = 200
RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE = 1e-6, 1e-9

# SQLite checks the time only in loops. These limits and the length of the statement limit the work in between.
LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 20_000,  # bytes of a value, and of a row in a sort
    sqlite3.SQLITE_LIMIT_COLUMN: 100,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 100,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
# Functions that take seconds per call in spite of the limits, with their number of arguments (-1: any).
SLOW_FUNCTIONS = (("printf", -1), ("format", -1), ("trim", 2), ("ltrim", 2), ("rtrim", 2))

READ_ACTIONS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
EXTERNAL_ACTIONS = {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA}
# Errors of sqlite3 for a statement that cannot run, also for text that cannot be encoded and for too little memory.
FAILURES = (sqlite3.Error, sqlite3.Warning, ValueError, MemoryError)

# The word after the backticks names the language, unless it begins the statement.
FENCED = re.compile(
    r"```(?:(?!SELECT|WITH)\w*[ \t]*\n|SQL\w*\b)?(.*?)(?:```|\Z)|\[SQL\](.*?)(?:\[/SQL\]|\Z)", re.DOTALL | re.IGNORECASE
)
QUERY = r"(?:SELECT\b|VALUES\s*\(|WITH\s+(?:RECURSIVE\s+)?[\w\"]+\s*(?:\([^()]*\)\s*)?AS\b)"
QUERY_START = re.compile(rf"(?:^|:)[ \t]*(?={QUERY})", re.MULTILINE | re.IGNORECASE)
ANOTHER_STATEMENT = re.compile(
    r"\s*(?:SELECT|WITH|VALUES|INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|ATTACH|PRAGMA|BEGIN|COMMIT)\b",
    re.IGNORECASE,
)
# Quoted text and comments come first, so that their content is not read as SQL. They may have no end.
TOKEN = re.compile(
    r"""'[^']*(?:'|\Z)|"[^"]*(?:"|\Z)|`[^`]*(?:`|\Z)|\[[^\]]*(?:\]|\Z)|--[^\n]*|/\*.*?(?:\*/|\Z)"""
    r"""|[();]|\n[ \t]*\n|\bORDER\s+BY\b""",
    re.DOTALL | re.IGNORECASE,
)


@dataclass(frozen=True)
class Result:
    """Rows that a statement returned, or the error."""

    rows: tuple[Row, ...] = ()
    error: str | None = None


class SqlExecution:
    """Fraction of answers whose statement returns what the reference returns."""

    name: ClassVar[str] = "sql_execution"
    needs: ClassVar[str] = "predictions"
    higher_is_better: ClassVar[bool] = True

    class Options(BaseOptions):
        """The column with the SQL that creates the row's database."""

        schema_field: str = "schema"
        """Name of the column with the SQL that creates the database of the row."""

    def check_row(self, reference: str, row: Mapping[str, Any], options: Any) -> None:
        """Check that the schema loads and that the reference runs.

        Raises:
            ValueError: If the row has no valid schema, or its reference does not run.
        """
        _execute_reference(_get_schema(row, options), extract_statement(reference))

    def score(self, prediction: str, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        """Return 1.0, or 0.0 and a short reason.

        Raises:
            ValueError: If the row has no valid schema, or its reference does not run.
        """
        schema, statement = _get_schema(row, options), extract_statement(reference)
        expected = _execute_reference(schema, statement)
        returned = execute(schema, extract_statement(prediction))
        if returned.error is not None:
            return 0.0, returned.error
        if same_result(expected.rows, returned.rows, ordered=is_ordered(statement)):
            return 1.0, None
        return 0.0, describe_difference(expected.rows, returned.rows)


def _get_schema(row: Mapping[str, Any], options: Any) -> str:
    schema = row.get(options.schema_field)
    if not isinstance(schema, str):
        raise ValueError(f"the row has no text in `{options.schema_field}`")
    return schema


def _execute_reference(schema: str, statement: str) -> Result:
    result = execute(schema, statement)
    if result.error is not None:
        raise ValueError(f"the reference does not run: {result.error}")
    return result


def extract_statement(answer: str) -> str:
    """Return the SQL of an answer: from its first code fence or [SQL] tags, else without the prose around it.

    A second statement stays in the text, so that `execute` rejects it.
    """
    if fenced := FENCED.search(answer):
        text = fenced[1] if fenced[1] is not None else fenced[2]
    else:
        start = QUERY_START.search(answer)
        text = cut_at_blank_line(answer[start.end() :] if start else answer)
    for token in TOKEN.finditer(text):
        if token[0] == ";" and not ANOTHER_STATEMENT.match(text, token.end()):
            return text[: token.start()].strip()
    return text.strip()


def cut_at_blank_line(text: str) -> str:
    """Return the text before the first blank line outside quotes, because prose follows there."""
    text = text.strip()
    ends = (token.start() for token in TOKEN.finditer(text) if not token[0].strip())
    return text[: next(ends, len(text))]


def is_ordered(statement: str) -> bool:
    """Return whether the statement has an ORDER BY outside parentheses."""
    depth = 0
    for token in TOKEN.finditer(statement):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if depth == 0 and token[0][:5].upper() == "ORDER":
            return True
    return False


def execute(schema: str, statement: str, *, seconds: float = 2.0, rows: int = 1000) -> Result:
    """Run one read-only statement on a new database.

    SQLite's heap limit applies to the whole process and can only be lowered, so all its databases share `HEAP_BYTES`.

    Args:
        schema: SQL that creates and fills the tables.
        statement: The statement to run; it is not trusted.
        seconds: Time limit of the schema, and again of the statement.
        rows: Maximum number of rows that the statement may return.

    Raises:
        ValueError: If the schema does not load.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        load_schema(connection, schema, seconds)
        connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, STATEMENT_CHARACTERS)
        expired = guard(connection, seconds, lambda action: action in READ_ACTIONS)
        try:
            return fetch(connection, statement, rows)
        except FAILURES as error:
            reason = explain(error)
            return Result(error=f"took longer than {seconds:g} s" if expired() else reason)


def load_schema(connection: sqlite3.Connection, schema: str, seconds: float) -> None:
    """Create and fill the tables in memory.

    Raises:
        ValueError: If the schema fails.
    """
    connection.execute("PRAGMA temp_store = MEMORY")  # so that sorts count against the heap and write no files
    connection.execute(f"PRAGMA hard_heap_limit = {HEAP_BYTES}")
    for limit, value in LIMITS.items():
        connection.setlimit(limit, value)
    connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, SCHEMA_CHARACTERS)
    for function, arguments in SLOW_FUNCTIONS:
        connection.create_function(function, arguments, reject_call)
    guard(connection, seconds, lambda action: action not in EXTERNAL_ACTIONS)
    try:
        connection.executescript(schema)
    except FAILURES as error:
        raise ValueError(f"the schema does not load: {explain(error)}") from error


def reject_call(*_: object) -> None:
    """Raise ValueError; replaces the `SLOW_FUNCTIONS`."""
    raise ValueError


def guard(connection: sqlite3.Connection, seconds: float, allowed: Callable[[int], bool]) -> Callable[[], bool]:
    """Limit the time and the actions of a connection.

    Returns:
        A function that returns whether the time is over.
    """
    deadline = time.monotonic() + seconds

    def expired() -> bool:
        return time.monotonic() > deadline

    def authorize(action: int, *_: str | None) -> int:
        # also called during compilation, when older versions of SQLite do not check the time
        return sqlite3.SQLITE_OK if allowed(action) and not expired() else sqlite3.SQLITE_DENY

    connection.set_authorizer(authorize)
    connection.set_progress_handler(expired, STEPS_BETWEEN_CHECKS)
    return expired


def fetch(connection: sqlite3.Connection, statement: str, limit: int) -> Result:
    """Return the rows of a statement, at most `limit` rows and `RESULT_BYTES` bytes."""
    cursor = connection.execute(statement)
    if cursor.description is None:
        return Result(error="no statement")
    rows: list[Row] = []
    size = 0
    for row in cursor:
        size += sum(len(cell) if isinstance(cell, str | bytes) else 8 for cell in row)
        if len(rows) == limit or size > RESULT_BYTES:
            maximum = f"{limit} rows" if len(rows) == limit else f"{RESULT_BYTES:,} bytes"
            return Result(error=f"returns more than {maximum}")
        rows.append(row)
    return Result(rows=tuple(rows))


def explain(error: Exception) -> str:
    """Return the error of a statement as one short line."""
    if isinstance(error, MemoryError):
        return "needs too much memory"
    line = " ".join(str(error).split())
    if line.startswith("not authorized"):
        return "is not a read-only statement"
    if line == "user-defined function raised exception":  # sqlite3 gives no details
        return "calls a function that may take too long"
    return line[:REASON_CHARACTERS].encode("utf-8", "replace").decode()


def same_result(reference: Sequence[Row], candidate: Sequence[Row], ordered: bool) -> bool:
    """Return whether two results are equal, as lists if ordered, else as multisets. Column names are ignored."""
    if len(reference) != len(candidate):
        return False
    if ordered:
        return all(map(same_row, reference, candidate))
    expected, returned = Counter(reference), Counter(candidate)
    rest = list((returned - expected).elements())  # not identical, but perhaps within the tolerance
    for row in (expected - returned).elements():
        match = next((index for index, other in enumerate(rest) if same_row(row, other)), None)
        if match is None:
            return False
        del rest[match]
    return True


def same_row(reference: Row, candidate: Row) -> bool:
    """Return whether two rows have equal cells."""
    return len(reference) == len(candidate) and all(map(same_cell, reference, candidate))


def same_cell(reference: Cell, candidate: Cell) -> bool:
    """Return whether two values are equal. Floats have a tolerance."""
    if isinstance(reference, int | float) and isinstance(candidate, int | float):
        if isinstance(reference, float) or isinstance(candidate, float):
            return math.isclose(reference, candidate, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE)
        return reference == candidate
    return type(reference) is type(candidate) and reference == candidate


def describe_difference(expected: Sequence[Row], returned: Sequence[Row]) -> str:
    """Return the difference of two results as one line."""
    if len(expected) != len(returned):
        return f"returns {len(returned)} rows, not {len(expected)}"
    if expected and len(expected[0]) != len(returned[0]):
        return f"returns {len(returned[0])} columns, not {len(expected[0])}"
    if same_result(expected, returned, ordered=False):
        return "returns the rows in a different order"
    return "returns different rows"
