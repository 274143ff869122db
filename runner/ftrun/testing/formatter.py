"""What every formatter has to keep to."""

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

SECONDS = 0.2  # that the speed is measured for


class FormatterContract(ComponentContract):
    """Inherit it as `TestX`, and set `formatter` and `rows`; `options` where it needs some.

    Args:
        formatter: The class.
        rows: Rows that have to become examples, as a data file has them.
        bad_rows: Rows that have to be rejected.
        options: The options that the rows are formatted with.
        names_columns: Whether a reason can name the column; it cannot where columns decide what a row is.
        rows_per_second: Of processor time; 30,000 keep the stage `format` as fast as its reading.
    """

    kind = "formatter"
    formatter: ClassVar[type[Any]]
    rows: ClassVar[Sequence[Mapping[str, Any]]]
    bad_rows: ClassVar[Sequence[Mapping[str, Any]]] = ()
    names_columns: ClassVar[bool] = True
    rows_per_second: ClassVar[float] = 5_000

    def outcome(self, values: Mapping[str, Any]) -> Any:
        """What a new instance makes of a row."""
        return self.formatter().format(Row(values, "rows.jsonl", 1), self.made_options())

    def test_it_makes_examples_of_good_rows(self) -> None:
        assert self.rows, "the contract needs at least one row that becomes an example"
        for values in self.rows:
            outcome = self.outcome(values)
            assert not isinstance(outcome, Rejected), f"{values!r} is rejected: {outcome.reason}"
            assert_example(outcome)

    def test_it_makes_one_kind_of_example(self) -> None:
        """A dataset has one kind: the stage `format` refuses mixtures."""
        assert len({type(self.outcome(values)) for values in self.rows}) == 1

    def test_it_rejects_bad_rows(self) -> None:
        for values in self.bad_rows:
            outcome = self.outcome(values)
            assert isinstance(outcome, Rejected), f"{values!r} became {outcome!r}"
            assert_outcome(outcome)

    def test_one_row_gives_one_outcome(self) -> None:
        formatter, options = self.formatter(), self.made_options()
        for values in [*self.rows, *self.bad_rows] * 2:
            again = formatter.format(Row(values, "rows.jsonl", 1), options)
            assert again == self.outcome(values), f"another outcome the second time: {values!r}"

    def test_no_two_options_take_one_column(self) -> None:
        """A column that two options name would stand twice in the example."""
        options = self.made_options().model_dump(by_alias=True)
        columns = {column for values in self.rows for column in values}
        naming = [option for option, value in options.items() if isinstance(value, str) and value in columns]
        for one, other in combinations(naming, 2):
            try:
                self.formatter.Options.model_validate({**options, other: options[one]})
            except ValidationError:
                continue
            pytest.fail(f"`{one}` and `{other}` may name one column: give both the type `ftrun.api.rows.Column`")

    def test_it_leaves_its_rows_alone(self) -> None:
        for values in [*self.rows, *self.bad_rows]:
            before = copy.deepcopy(values)
            self.outcome(values)
            assert values == before, "the raw row is kept for evaluations, and was changed"

    @given(data=st.data())
    @fuzz_inputs.QUIETLY
    def test_whatever_a_row_holds_it_is_an_example_or_rejected(self, data: st.DataObject) -> None:
        values = data.draw(fuzz_inputs.rows(self.rows))
        before = copy.deepcopy(values)
        try:
            outcome = self.outcome(values)
        except Exception as error:  # any is a fault: a row's own fault is a reason, not an error
            pytest.fail(f"it raises {type(error).__name__}: {error}, of the row {before!r}")
        assert_outcome(outcome)
        assert values == before, "the row was changed"

    def test_a_reason_names_the_column(self) -> None:
        """Who has a million rows finds what is wrong by it."""
        for values in self.rows:
            for column in values:
                damaged = [
                    fuzz_inputs.without(values, (column,)),
                    *({**values, column: odd} for odd in fuzz_inputs.ODD),
                ]
                for row in damaged:
                    outcome = self.outcome(row)
                    if isinstance(outcome, Rejected) and self.names_columns:
                        told = f"`{column}` is to blame for {row!r:.200}, and the reason does not say so"
                        assert column in outcome.reason, f"{told}: {outcome.reason!r}"

    def test_it_is_fast(self) -> None:
        formatter, options = self.formatter(), self.made_options()
        made = [Row(values, "rows.jsonl", line) for line, values in enumerate(self.rows, 1)]
        best, began, until = 0.0, time.process_time(), time.monotonic() + 10 * SECONDS
        while time.process_time() - began < SECONDS and time.monotonic() < until:
            start = time.process_time()
            for _ in range(200):
                for row in made:
                    formatter.format(row, options)
            best = max(best, 200 * len(made) / (time.process_time() - start))
        assert best >= self.rows_per_second, f"{best:,.0f} rows/s, fewer than {self.rows_per_second:,.0f}"

    def test_the_stage_format_takes_what_it_makes(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """In a process of its own, as in a run."""
        monkeypatch.chdir(tmp_path)
        written = format_rows(self.formatter, self.options, self.rows, tmp_path)
        assert len(written) == len(self.rows)
