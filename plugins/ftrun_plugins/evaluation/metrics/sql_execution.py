"""Evaluator `sql_execution`: SQL answers, compared by their results on a small database of the row.

An answer is hostile input: see `sql_database`. A wrong
schema or reference raises `ValueError`. A wrong answer scores 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from ftrun.api.rows import Options as BaseOptions
from ftrun_plugins.evaluation.metrics.sql_database import Result, execute
from ftrun_plugins.evaluation.metrics.sql_order import find_ties
from ftrun_plugins.evaluation.metrics.sql_result import describe_difference, same_result
from ftrun_plugins.evaluation.metrics.sql_statement import extract_statement, is_ordered


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
        if not expected.rows or not expected.is_grounded:
            reason = _compare_reading(expected, returned)
            if reason is not None:
                return 0.0, reason
        if same_result(expected.rows, returned.rows, ordered=is_ordered(statement)):
            return 1.0, None
        if is_ordered(statement) and _is_allowed_order(schema, statement, expected, returned):
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


def _compare_reading(expected: Result, returned: Result) -> str | None:
    """Return why a result without evidence is wrong: any statement that finds nothing returns the same rows.

    Such a statement has to return as many columns, and to read the same columns of the tables.
    """
    if len(expected.columns) != len(returned.columns):
        return f"returns {len(returned.columns)} columns, not {len(expected.columns)}"
    if expected.read != returned.read:
        names = sorted(f"{table}.{column}".strip(".") for table, column in expected.read ^ returned.read)
        return f"returns no evidence, because the tables hold no matching rows, and does not read alike: {names[0]}"
    return None


def _is_allowed_order(schema: str, statement: str, expected: Result, returned: Result) -> bool:
    """Return whether the rows are in another order that the ORDER BY of the reference allows, because of ties."""
    if len(expected.rows) != len(returned.rows):
        return False
    ties = find_ties(statement, expected, partial(execute, schema))
    return ties is not None and ties.allow(returned.rows)
