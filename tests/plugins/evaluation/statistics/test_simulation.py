"""Coverage of the intervals and rate of false verdicts, in small simulations; the benchmark has the long ones."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARK = Path(__file__).parents[4] / "benchmarks" / "bench_statistics.py"


@pytest.fixture(scope="module")
def bench() -> Any:
    spec = importlib.util.spec_from_file_location("bench_statistics", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_statistics"] = module
    spec.loader.exec_module(module)
    return module


TRIALS = 200  # the standard deviation of a coverage of 95 % is 1.5 points


@pytest.mark.parametrize("kind", ["binary", "continuous", "skewed", "tied", "clustered", "clustered_binary"])
@pytest.mark.parametrize("size", [20, pytest.param(50, marks=pytest.mark.slow)])
def test_coverage_and_false_verdicts(bench: Any, kind: str, size: int) -> None:
    """Exact tests are conservative on few rows, so the coverage can be above 97 % if there is no difference."""
    draw, effect = bench.KINDS[kind]
    null, real = (bench.simulate(draw, size, some, TRIALS) for some in (0.0, effect))
    assert null.better <= 5.0
    assert null.worse <= 7.0
    assert null.shown >= 91.0
    assert 91.0 <= real.shown <= 99.0


def test_groups_of_related_rows_are_no_evidence_of_their_own(bench: Any) -> None:
    """25 groups of 4 related rows without a difference: as single rows they often look better or worse."""
    clustered = bench.simulate(bench.clustered, 25, 0.0, 2 * TRIALS)
    assert clustered.better + clustered.worse <= 8.0

    def without_clusters(generator: Any, size: int, effect: float) -> Any:
        sample = bench.clustered(generator, size, effect)
        return bench.Sample(sample.base, sample.tuned)

    ignored = bench.simulate(without_clusters, 25, 0.0, TRIALS)
    assert ignored.better + ignored.worse > 15.0
