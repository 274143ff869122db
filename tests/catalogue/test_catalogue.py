"""Every input of the catalogue ends in its line, in bounded time and memory; what is odd and right passes.

To add one, add a line to a list: `bad_lines.py` and so on, or `odd_inputs.py`.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.recipe.load import Loaded
from ftrun_plugins.data.format import row_timeout
from helpers.catalogue import (
    bad_chat,
    bad_files,
    bad_formatters,
    bad_lines,
    bad_options,
    bad_others,
    bad_paths,
    bad_tables,
    misbehaving_formatter,
    odd_inputs,
)
from helpers.catalogue.bad_options import BadOption
from helpers.catalogue.bad_paths import BadPath
from helpers.catalogue.case import Bad, Odd, is_about
from helpers.format_stage import examples, formatted, written

MOST_SECONDS = 10.0  # on a busy machine; most take a hundredth
MOST_MEMORY = 400_000  # kB that one of them may need beyond what any before it did
LONGEST_MESSAGE = 1000  # characters
BAD = [case for bad in (bad_files, bad_tables, bad_chat, bad_others, bad_formatters) for case in bad.CASES]
LINES = {case.reason: case for case in bad_lines.CASES}  # the tests of the source read them all


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A formatter gets less time for a row."""
    monkeypatch.setattr(row_timeout, "LONGEST", 0.4)


@contextmanager
def bounded() -> Iterator[None]:
    memory, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    yield
    assert time.monotonic() - began < MOST_SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < MOST_MEMORY


def test_it_is_large_enough() -> None:
    assert len(bad_lines.CASES) + len(BAD) + len(bad_paths.CASES) + len(bad_options.CASES) >= 120
    assert len(odd_inputs.CASES) >= 30


@pytest.mark.parametrize("case", [*LINES.values(), *BAD], ids=lambda case: case.name)
def test_a_bad_input_is_told_with_its_place_and_reason(case: Bad, tmp_path: Path) -> None:
    data = written(tmp_path / f"data.{case.source}", case.data)
    source = {"name": case.source, "path": str(data)}

    with bounded(), pytest.raises(InvalidInput) as refused:
        formatted(tmp_path, source, case.formatter, misbehaving_formatter)

    problems = refused.value.problems
    assert any(case.is_told(problem, tmp_path) for problem in problems), problems
    assert all(len(problem.what) < LONGEST_MESSAGE for problem in problems)


@pytest.mark.parametrize("case", bad_paths.CASES, ids=lambda case: case.name)
def test_a_path_to_no_file_is_told(case: BadPath, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    path = case.make(here)

    with bounded(), pytest.raises(InvalidInput) as refused:
        formatted(tmp_path, path, {"name": "completion"})

    (problem,) = refused.value.problems
    assert is_about(problem.code, problem.what, case.reason)
    assert problem.did_you_mean == case.nearest
    assert problem.at is not None
    assert problem.at.startswith(str(path).replace("\0", "\\0")[:100])
    assert len(problem.at) < LONGEST_MESSAGE


@pytest.mark.parametrize("case", bad_options.CASES, ids=lambda case: case.name)
def test_a_bad_option_is_told_with_its_key(case: BadOption, loading: Callable[..., Loaded]) -> None:
    with bounded(), pytest.raises(InvalidInput) as refused:
        loading(more=f"dataset:\n  formatter: {case.formatter}\n")

    assert any(
        is_about(problem.code, problem.what, case.reason) and (problem.at or "").startswith("mine.yaml:")
        for problem in refused.value.problems
    ), refused.value.problems


@pytest.mark.parametrize("case", odd_inputs.CASES, ids=lambda case: case.name)
def test_what_is_odd_and_right_passes(case: Odd, tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", case.data)

    with bounded():
        found = examples(formatted(tmp_path, data, case.formatter, misbehaving_formatter))

    assert [{key: value for key, value in example.items() if key != "place"} for example in found] == list(
        case.examples
    )


def test_a_formatter_is_watched_behind_a_filter(tmp_path: Path) -> None:
    data = written(tmp_path / "data.jsonl", [{"does": "own text"}, {"does": "loop"}])

    with bounded(), pytest.raises(InvalidInput) as refused:
        formatted(
            tmp_path, data, {"name": "misbehaving"}, misbehaving_formatter, filters=[{"column": "does", "matches": "o"}]
        )

    assert refused.value.problems[0].at == "data.jsonl:2"
