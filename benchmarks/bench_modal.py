"""Benchmark of the overhead of ftrun on Modal, compared with Modal alone, on a control plane on this machine.

    python benchmarks/bench_modal.py [--runs 5]

It measures:

- the time to the first line of output of the first stage if nothing is deployed, compared with `modal deploy` and
  `modal run` of one function;
- the time to submit a second run, which needs no deployment;
- the time that the scheduler adds to a stage, compared with `spawn().get()` of the same function and request.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / "tests"), str(PROJECT / "tests" / "support")]

from modal_control_plane.fixture import ControlPlane  # noqa: E402

FTRUN = str(Path(sys.executable).with_name("ftrun"))
MODAL = [sys.executable, "-m", "modal"]
RECIPE = "defaults: [quickstart]\nstages: [format]\n"
BY_HAND = """\
import modal

app = modal.App("by-hand")


@app.function()
def first():
    print("first line")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="Number of repetitions.")
    runs = parser.parse_args().runs
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(runs):
            with _plane(Path(folder) / f"ours{number}") as (plane, place):
                ours.append(_measure_until(place, plane, [FTRUN, "recipe=format.yaml", "backend=modal"], "started"))
            with _plane(Path(folder) / f"theirs{number}") as (plane, place):
                theirs.append(_measure_modal_alone(place, plane))
        _compare("to the first line", statistics.median(ours), statistics.median(theirs), "ratio", 1.3)
        with _plane(Path(folder) / "further") as (plane, place):
            os.environ.update(_environment(place, plane))
            _measure_submission(place, plane, runs)
            _measure_scheduler(place, plane, runs)


class _plane:  # noqa: N801  (used like a function in `with`)
    """Context manager for a control plane with a folder for recipes and a store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        (folder / "format.yaml").write_text(RECIPE)
        self._plane = ControlPlane(folder / "plane", {"client": Path(sys.executable)})

    def __enter__(self) -> tuple[ControlPlane, Path]:
        return self._plane.start(), self._folder

    def __exit__(self, *_: object) -> None:
        self._plane.stop()


def _environment(place: Path, plane: ControlPlane) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MODAL_")}
    return {**inherited, **plane.client_environment, "FTRUN_STORE": str(place / "store"), "NO_COLOR": "1"}


def _measure_until(place: Path, plane: ControlPlane, command: list[str], words: str) -> float:
    """Run a command to its end; return the seconds until it prints a line with these words."""
    start = time.perf_counter()
    with subprocess.Popen(
        command, cwd=place, env=_environment(place, plane), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        seconds = None
        for line in process.stdout:
            if words in line and seconds is None:
                seconds = time.perf_counter() - start
    assert seconds is not None, command
    return seconds


def _measure_modal_alone(place: Path, plane: ControlPlane) -> float:
    (place / "by_hand.py").write_text(BY_HAND)
    start = time.perf_counter()
    subprocess.run(
        [*MODAL, "deploy", "by_hand.py"], cwd=place, env=_environment(place, plane), check=True, capture_output=True
    )
    deployed = time.perf_counter() - start
    return deployed + _measure_until(place, plane, [*MODAL, "run", "by_hand.py"], "first line")


def _measure_submission(place: Path, plane: ControlPlane, runs: int) -> None:
    """Measure `ftrun run -d`, and the part of it after Python has started, composed the recipe and imported Modal."""
    from ftrun.execution.engine import prepare
    from ftrun.execution.provenance import collect_provenance
    from ftrun.workflow.session import open_session

    os.chdir(place)
    seconds, whole = [], []
    for number in range(runs + 1):
        seed = f"dataset.split.seed={number}"
        session = open_session(["recipe=format.yaml", "backend=modal", seed])
        facts = collect_provenance(session.plan, session.backend)
        folder = prepare(session.store, session.loaded.recipe, session.plan, (), {}, facts)
        assert session.backend.remote is not None
        start = time.perf_counter()
        session.backend.remote.submit(folder, lambda text: None)
        seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
        command = [FTRUN, "run", "-d", "recipe=format.yaml", "backend=modal", f"dataset.split.seed={number + 100}"]
        subprocess.run(command, check=True, env=dict(os.environ), capture_output=True)
        whole.append(time.perf_counter() - start)
    _promise("second submission", statistics.median(seconds[1:]), 1.0)
    print(f"{'':<22} {statistics.median(whole[1:]):6.3f} s   the whole command")


def _measure_scheduler(place: Path, plane: ControlPlane, runs: int) -> None:
    """Measure pairs of a stage that the scheduler runs and the same function called directly, in new containers."""
    import modal

    from ftrun.workflow.session import open_session
    from ftrun_plugins.modal.claims import Claims, make_client_owner
    from ftrun_plugins.modal.requests import StageRequest

    costs = []
    for number in range(runs):
        recipe = ["recipe=format.yaml", "backend=modal", f"dataset.split.seed={number + 200}"]
        # The client submits a call without inputs itself, unless its key is claimed. The claim leaves it to the
        # scheduler.
        Claims("ftrun-store-claims").acquire(open_session(recipe).plan.calls[0].ref, 1, make_client_owner())
        subprocess.run([FTRUN, *recipe], check=True, env=dict(os.environ), capture_output=True)
        scheduled = _stage_seconds(_last_events(place / "store"))
        time.sleep(4)  # until its container has stopped
        session = open_session(["recipe=format.yaml", "backend=modal", f"dataset.split.seed={number + 300}"])
        remote: Any = session.backend.remote
        request = StageRequest(
            call=session.plan.calls[0],
            run="bare",
            generation=1,
            volume="ftrun-store",
            claims="ftrun-store-claims",
            most_tries=3,
        )
        function = modal.Function.from_name(remote.app(session.plan.calls).name, "format-client")
        function.hydrate()
        start = time.perf_counter()
        function.spawn(request.pack()).get()
        costs.append(scheduled - (time.perf_counter() - start))
        time.sleep(4)
    _promise("scheduler per stage", statistics.median(costs), 0.2)


def _last_events(store: Path) -> list[Mapping[str, Any]]:
    newest = max(store.glob("runs/*/events.jsonl"), key=lambda path: path.stat().st_mtime)
    return [json.loads(line) for line in newest.read_text().splitlines()]


def _stage_seconds(events: list[Mapping[str, Any]]) -> float:
    at = {event["kind"]: float(event["at"]) for event in events}
    return at["call_finished"] - at["run_started"]


def _compare(what: str, ours: float, theirs: float, word: str, most: float) -> None:
    print(f"{what:<22} ftrun {ours:.3f} s   by hand {theirs:.3f} s   {word} {ours / theirs:.2f}   promised {most}")


def _promise(what: str, seconds: float, most: float) -> None:
    print(f"{what:<22} {seconds:6.3f} s   promised under {most} s")


if __name__ == "__main__":
    main()
