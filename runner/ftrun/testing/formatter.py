"""Contract of formatters."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ftrun.api.rows import Rejected, Row
from ftrun.testing import fuzz_inputs
from ftrun.testing.component import ComponentContract
from ftrun.testing.examples import assert_example, assert_outcome
from ftrun.testing.harness import format_rows

SECONDS = 0.2  # processor time for the measurement of the speed


class FormatterContract(ComponentContract):
    """Contract tests of a formatter. Inherit as `TestX`, and set `formatter` and `rows`, and `options` if required.

    Args:
        formatter: The class under test.
        rows: Rows that must become examples, as they are in a data file.
        bad_rows: Rows that must be rejected.
        options: The options with which the rows are formatted.
        names_columns: If true, a reason must name the column. Set it to False if the columns determine the kind of row.
        rows_per_second: Minimum speed, in rows per second of processor time. With 30,000, formatting is as fast as the
            stage `format` reads.
    """

    kind = "formatter"
    formatter: ClassVar[type[Any]]
    rows: ClassVar[Sequence[Mapping[str, Any]]]
    bad_rows: ClassVar[Sequence[Mapping[str, Any]]] = ()
    names_columns: ClassVar[bool] = True
    rows_per_second: ClassVar[float] = 5_000

    def outcome(self, values: Mapping[str, Any]) -> Any:
        """Format a row with a new instance and return the outcome."""
        return self.formatter().format(Row(values, "rows.jsonl", 1), self.make_options())

    def test_it_makes_examples_of_good_rows(self) -> None:
        assert self.rows, "the contract needs at least one row that becomes an example"
        for values in self.rows:
            outcome = self.outcome(values)
            assert not isinstance(outcome, Rejected), f"{values!r} is rejected: {outcome.reason}"
            assert_example(outcome)

    def test_it_makes_one_kind_of_example(self) -> None:
        """A dataset has one kind of example; the stage `format` rejects mixtures."""
        assert len({type(self.outcome(values)) for values in self.rows}) == 1

    def test_it_rejects_bad_rows(self) -> None:
        for values in self.bad_rows:
            outcome = self.outcome(values)
            assert isinstance(outcome, Rejected), f"{values!r} was not rejected: {outcome!r}"
            assert_outcome(outcome)

    def test_a_row_always_has_the_same_outcome(self) -> None:
        formatter, options = self.formatter(), self.make_options()
        for values in [*self.rows, *self.bad_rows] * 2:
            outcome = formatter.format(Row(values, "rows.jsonl", 1), options)
            assert outcome == self.outcome(values), f"the outcome of a row changes between two calls: {values!r}"

    def test_two_options_cannot_name_one_column(self) -> None:
        """If two options named one column, its content would be twice in the example."""
        options = self.make_options().model_dump(by_alias=True)
        columns = {column for values in self.rows for column in values}
        column_options = [option for option, value in options.items() if isinstance(value, str) and value in columns]
        for first, second in combinations(column_options, 2):
            try:
                self.formatter.Options.model_validate({**options, second: options[first]})
            except ValidationError:
                continue
            pytest.fail(
                f"`{first}` and `{second}` may name the same column; give both the type `ftrun.api.rows.Column`"
            )

    def test_it_does_not_change_rows(self) -> None:
        for values in [*self.rows, *self.bad_rows]:
            before = copy.deepcopy(values)
            self.outcome(values)
            assert values == before, "the formatter changed the row, which evaluations use later"

    @given(data=st.data())
    @fuzz_inputs.SETTINGS
    def test_any_row_becomes_an_example_or_is_rejected(self, data: st.DataObject) -> None:
        values = data.draw(fuzz_inputs.rows(self.rows))
        before = copy.deepcopy(values)
        try:
            outcome = self.outcome(values)
        except Exception as error:  # no exception is allowed: a bad row must be rejected
            pytest.fail(f"it raises {type(error).__name__}: {error}, for the row {before!r}")
        assert_outcome(outcome)
        assert values == before, "the formatter changed the row"

    def test_a_reason_names_the_column(self) -> None:
        """The name of the column helps to find the fault in a large dataset."""
        for values in self.rows:
            for column in values:
                damaged = [
                    fuzz_inputs.remove(values, (column,)),
                    *({**values, column: value} for value in fuzz_inputs.ODD_VALUES),
                ]
                for row in damaged:
                    outcome = self.outcome(row)
                    if isinstance(outcome, Rejected) and self.names_columns:
                        message = f"the reason does not name the column `{column}`, which is wrong in {row!r:.200}"
                        assert column in outcome.reason, f"{message}: {outcome.reason!r}"

    def test_it_is_fast(self) -> None:
        formatter, options = self.formatter(), self.make_options()
        rows = [Row(values, "rows.jsonl", line) for line, values in enumerate(self.rows, 1)]
        best, started, deadline = 0.0, time.process_time(), time.monotonic() + 10 * SECONDS
        while time.process_time() - started < SECONDS and time.monotonic() < deadline:
            start = time.process_time()
            for _ in range(200):
                for row in rows:
                    formatter.format(row, options)
            best = max(best, 200 * len(rows) / (time.process_time() - start))
        assert best >= self.rows_per_second, f"{best:,.0f} rows/s, fewer than {self.rows_per_second:,.0f}"

    def test_the_stage_format_accepts_its_examples(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Run the stage in a separate process, as in a run."""
        monkeypatch.chdir(tmp_path)
        written = format_rows(self.formatter, self.options, self.rows, tmp_path)
        assert len(written) == len(self.rows)
