"""How streams are mixed and shuffled: shares, order and conservation of rows, whatever their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun_plugins.data.format import external_shuffle
from ftrun_plugins.data.format.external_shuffle import shuffled
from ftrun_plugins.data.format.interleave import Mix, Strategy
from helpers.catalogue.case import is_about


@dataclass
class Counted:
    """A stream of so many rows, with bad ones at some places."""

    rows: int
    weight: float | None = None
    bad: frozenset[int] = frozenset()

    def one_pass(self) -> Iterator[Row | BadRow]:
        for line in range(self.rows):
            if line in self.bad:
                yield BadRow("x", line, "bad")
            yield Row({}, "x", line)


def mixed(streams: list[Counted], strategy: Strategy = "first_exhausted") -> list[tuple[int, int]]:
    return [(number, row.line) for number, row in Mix(streams, strategy) if isinstance(row, Row)]


weights = st.lists(st.floats(0.01, 100), min_size=2, max_size=5)


@given(weights)
def test_shares_hold_from_the_beginning_on(weights: list[float]) -> None:
    streams = [Counted(100_000, weight) for weight in weights]
    counts: Counter[int] = Counter()

    for total, (number, _) in enumerate(islice(Mix(streams, "first_exhausted"), 500), start=1):
        counts[number] += 1
        for other, weight in enumerate(weights):
            assert abs(counts[other] - total * weight / sum(weights)) < 1 + len(weights) / 2


sizes = st.lists(st.integers(1, 40), min_size=1, max_size=5)


@given(sizes, st.data())
def test_no_row_is_taken_twice_and_each_part_keeps_its_order(sizes: list[int], draw: st.DataObject) -> None:
    streams = [Counted(size, draw.draw(st.floats(0.1, 10))) for size in sizes]

    taken = mixed(streams)

    for number, size in enumerate(sizes):
        lines = [line for other, line in taken if other == number]
        assert lines == list(range(len(lines)))
        assert len(lines) <= size
    assert any(sum(other == number for other, _ in taken) == size for number, size in enumerate(sizes))
    assert mixed(streams) == taken


@given(sizes)
def test_without_weights_every_row_is_taken_once_in_turns(sizes: list[int]) -> None:
    taken = mixed([Counted(size) for size in sizes])

    assert sorted(taken) == [(number, line) for number, size in enumerate(sizes) for line in range(size)]
    everyone = min(sizes) * len(sizes)
    assert [number for number, _ in taken[:everyone]] == list(range(len(sizes))) * min(sizes)


@given(sizes, st.data())
def test_all_exhausted_reads_each_part_whole_and_repeats_the_others(sizes: list[int], draw: st.DataObject) -> None:
    streams = [Counted(size, draw.draw(st.floats(0.5, 2))) for size in sizes]

    taken = mixed(streams, "all_exhausted")

    for number, size in enumerate(sizes):
        lines = [line for other, line in taken if other == number]
        assert lines == [index % size for index in range(len(lines))]
        assert len(lines) >= size


def test_where_a_mix_by_weight_ends_is_known() -> None:
    mix = Mix([Counted(100, 1), Counted(4, 1)], "first_exhausted")

    assert len(list(mix)) == 9  # the first is due again before the other is found empty
    assert (mix.ended_by, mix.passes) == (1, [1, 1])


def test_a_bad_row_takes_nobodys_turn() -> None:
    streams = [Counted(3, 1, frozenset({0, 1})), Counted(3, 1)]

    rows = [(number, type(row).__name__) for number, row in islice(Mix(streams, "first_exhausted"), 6)]

    assert rows == [(0, "BadRow"), (0, "Row"), (1, "Row"), (0, "BadRow"), (0, "Row"), (1, "Row")]


@dataclass
class OnlyBad(Counted):
    def one_pass(self) -> Iterator[Row | BadRow]:
        yield BadRow("x", 1, "bad")


def test_a_stream_without_a_good_row_is_not_begun_again_for_ever() -> None:
    mix = Mix([OnlyBad(0, 1), Counted(3, 1)], "all_exhausted")

    assert len(list(mix)) == 1
    assert mix.ended_by == 0


# Shuffling


@pytest.fixture
def few_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is the same with any number of them."""
    monkeypatch.setattr(external_shuffle, "FILES", 4)


def rows(count: int) -> Iterator[Row | BadRow]:
    yield from (Row({"n": line}, "x", line) for line in range(1, count + 1))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 300), st.text(max_size=5))
def test_shuffling_keeps_every_row_and_depends_on_the_seed(
    few_files: None, tmp_path_factory: pytest.TempPathFactory, count: int, seed: str
) -> None:
    folder = tmp_path_factory.mktemp("shuffle")

    once, again = (list(shuffled(rows(count), seed, folder)) for _ in range(2))

    assert once == again
    assert sorted(once, key=lambda row: row.line) == list(rows(count))
    assert list(folder.iterdir()) == []
    if count > 20:
        assert once != list(rows(count)) != list(shuffled(rows(count), seed + "x", folder))


def test_the_order_of_a_seed_stays_as_it_is(few_files: None, tmp_path: Path) -> None:
    """Another order of the same data makes everything again that follows from it: raise the stage's version with it."""
    assert [row.line for row in shuffled(rows(8), "0 source ", tmp_path)] == [2, 4, 6, 5, 7, 1, 8, 3]


def test_every_row_may_come_everywhere(few_files: None, tmp_path: Path) -> None:
    firsts = Counter(next(shuffled(rows(4), str(seed), tmp_path)).line for seed in range(200))

    assert set(firsts) == {1, 2, 3, 4}
    assert min(firsts.values()) > 25


def test_bad_rows_come_first_and_what_cannot_be_kept_is_one(few_files: None, tmp_path: Path) -> None:
    given: list[Row | BadRow] = [Row({"n": 1}, "x", 1), BadRow("x", 2, "bad"), Row({"n": "\ud83d"}, "x", 3)]

    bad, worse, row = shuffled(given, "", tmp_path)

    assert (bad, row) == (given[1], given[0])
    assert isinstance(worse, BadRow)
    assert is_about(worse.code, worse.reason, "bad-row cannot be written as JSON")


def test_the_number_of_files_changes_nothing(few_files: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = list(shuffled(rows(1000), "", tmp_path))
    monkeypatch.setattr(external_shuffle, "FILES", 128)

    assert list(shuffled(rows(1000), "", tmp_path)) == few
