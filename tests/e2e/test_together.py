"""Two runs of one recipe at one time share the work."""

from __future__ import annotations

from collections import Counter

import pytest

from helpers.workplace import Watch, Workplace

pytestmark = pytest.mark.e2e


@pytest.mark.drill
def test_two_simultaneous_runs_do_each_stage_once(workplace: Workplace) -> None:
    recipe = ("recipe=tiny.yaml", "evals=[held_out_loss]")
    with Watch(workplace) as watch:
        processes = [workplace.start(*recipe) for _ in range(2)]
        first, second = [workplace.end(process) for process in processes]
    runs = workplace.runs()
    assert len(runs) == 2
    started = Counter(call for run in runs for call in workplace.calls("call_started", run))
    calls = set(workplace.calls("call_finished", runs[0])) | set(workplace.calls("call_cached", runs[0]))
    assert started == Counter(calls)  # each once, by one run or the other
    assert len(watch.seen) == 1
    assert any(workplace.calls("call_waiting", run) for run in runs)
    assert workplace.evaluation(runs[0]) == workplace.evaluation(runs[1])
    assert first.out.splitlines()[:4] == second.out.splitlines()[:4]
    assert workplace.half_artifacts() == []
