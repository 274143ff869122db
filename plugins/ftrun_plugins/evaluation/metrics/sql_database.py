"""Execution of SQL that is not trusted, on a read-only in-memory SQLite.

There are limits on time, memory and the size of the result.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

Cell: TypeAlias = str | int | float | bytes | None
Row: TypeAlias = tuple[Cell, ...]

RESULT_BYTES = 1_000_000
HEAP_BYTES = 128_000_000
STEPS_BETWEEN_CHECKS = 20  # of SQLite's virtual machine; few, because one step may scan a whole value
SCHEMA_CHARACTERS, STATEMENT_CHARACTERS = 1_000_000, 4_000
REASON_CHARACTERS = 200

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


@dataclass(frozen=True)
class Result:
    """Rows that a statement returned, or the error.

    Args:
        rows: The rows.
        error: Why there are none.
        columns: The names of the columns of the result.
        read: The table and the name of each column that the statement reads. The name is empty for `COUNT(*)`.
        is_grounded: False if all tables that the statement reads are empty, so that the rows say nothing.
    """

    rows: tuple[Row, ...] = ()
    error: str | None = None
    columns: tuple[str, ...] = ()
    read: frozenset[tuple[str, str]] = frozenset()
    is_grounded: bool = True


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
        read: set[tuple[str, str]] = set()
        expired = guard(connection, seconds, lambda action: action in READ_ACTIONS, read)
        try:
            return replace(fetch(connection, statement, rows), **_describe_reading(connection, frozenset(read)))
        except FAILURES as error:
            reason = explain(error)
            return Result(error=f"took longer than {seconds:g} s" if expired() else reason)


def _describe_reading(connection: sqlite3.Connection, read: frozenset[tuple[str, str]]) -> dict[str, Any]:
    """Return the columns that a statement has read, and whether one of their tables has rows."""
    tables = sorted({table.replace('"', '""') for table, _ in read})
    try:
        first_rows = [connection.execute(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone() for table in tables]  # noqa: S608
    except sqlite3.Error:  # such as a table that is a function with arguments
        return {"read": read}
    return {"read": read, "is_grounded": not tables or any(first_rows)}


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


def guard(
    connection: sqlite3.Connection,
    seconds: float,
    allowed: Callable[[int], bool],
    read: set[tuple[str, str]] | None = None,
) -> Callable[[], bool]:
    """Limit the time and the actions of a connection.

    Args:
        connection: The connection.
        seconds: Time limit.
        allowed: A function that returns whether an action is allowed.
        read: A set to which the table and the name of each column that a statement reads are added.

    Returns:
        A function that returns whether the time is over.
    """
    deadline = time.monotonic() + seconds

    def expired() -> bool:
        return time.monotonic() > deadline

    def authorize(action: int, table: str | None, column: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_READ and read is not None:
            read.add((str(table).casefold(), str(column).casefold()))
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
    return Result(rows=tuple(rows), columns=tuple(str(column[0]) for column in cursor.description))


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
