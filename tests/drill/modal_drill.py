"""Takes machines away from runs on Modal at random moments, and looks at what comes out.

    python tests/drill/modal_drill.py [--runs 10] [--seed N]

Each run of a long stage is disturbed several times: its container or the scheduler's is preempted, with grace or
without, or dies, or the control plane is away for a while, or a commit fails. Then everything has to be there once.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tests"))

from helpers.counting_plugin import RECIPE, write_counting_plugin  # noqa: E402
from helpers.modal_workplace import ModalPlace  # noqa: E402
from helpers.workplace import QUICKSTART_DATA, read_json  # noqa: E402
from modal_control_plane.fixture import ControlPlane  # noqa: E402

STEPS = 60
FUNCTIONS = ("counting-client", "launch")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    chance = random.Random(options.seed)
    for number in range(1, options.runs + 1):
        with tempfile.TemporaryDirectory() as folder:
            disturbances = disturbed_run(Path(folder), chance)
        print(f"run {number}: whole after {', '.join(disturbances)}", flush=True)
    print(f"{options.runs} runs: each counted every step once, nothing was left in scratch, one artifact a key")


def disturbed_run(folder: Path, chance: random.Random) -> list[str]:
    """One run with three disturbances; fails where its result is not that of a calm one."""
    with (
        ControlPlane(folder / "plane", {"client": Path(sys.executable)}) as plane,
        closing(ModalPlace(folder / "here", plane)) as place,
    ):
        rows = (QUICKSTART_DATA / "train.jsonl").read_text().splitlines(keepends=True)[:20]
        (place.folder / "rows.jsonl").write_text("".join(rows))
        (place.folder / "counting.yaml").write_text(RECIPE)
        place.plugins = write_counting_plugin(place.folder / "plugins")
        began = place.run("run", "-d", "--json", "recipe=counting.yaml", f"train.max_steps={STEPS}")
        run = str(json.loads(began.out)["run"])
        done = [_disturb(plane, chance) for _ in range(3)]
        record = place.wait_for_end(run)
        (file,) = place.volume.glob("artifacts/counting/*/counted.json")
        assert read_json(file) == list(range(1, STEPS + 1)), read_json(file)
        assert record["results"]["counting"]["metrics"]["counted"] == STEPS
        assert not list(place.volume.glob("scratch/*/*/**/*"))
        assert not place.half_artifacts_in(place.volume)
        assert not plane.unknown_rpcs, plane.unknown_rpcs
    return done


def _disturb(plane: ControlPlane, chance: random.Random) -> str:
    """Waits a random while, then does one thing to whatever runs; says what it was."""
    time.sleep(chance.uniform(0.3, 3.0))
    function = chance.choice(FUNCTIONS)
    kinds: list[tuple[str, Callable[[], object]]] = [
        (f"{function} preempted with grace", lambda: plane.preempt(function, 30.0)),
        (f"{function} preempted without", lambda: plane.preempt(function, 0.0)),
        (f"{function} died", lambda: plane.kill(function)),
        ("the control plane away", lambda: plane.fail_for(chance.uniform(0.5, 4.0))),
        ("a failed commit", lambda: plane.fail("VolumeCommit", "INTERNAL", 1)),
        ("a lost answer to a submission", lambda: plane.lose_answer("FunctionMap")),
    ]
    name, deed = chance.choice(kinds)
    deed()
    return name


if __name__ == "__main__":
    main()
