"""Validates and rehearses every shipped recipe, in one store, and says which could not be and why.

    python tests/drill/rehearsals.py [RECIPE…] [--lanes N] [--folder FOLDER]

Most of a rehearsal is imports, which one core does, so several go on side by side, each on cores of its own. A recipe
whose rows come from a URL takes the copy in FTRUN_TEST_DATA, by default `../shared/data`, where it is there.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from ftrun.api.config_dirs import own_folders, recipe_names
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import load
from helpers.seed_configurations import DATA
from helpers.workplace import Workplace

LONGEST = 1800.0  # seconds of one rehearsal
COMPOSING = Lock()  # Hydra is one for all threads
MOST_LANES = 4  # each takes about 4 GiB of memory
SHOWN = 1500  # letters of what a failed one said


@dataclass(frozen=True)
class Outcome:
    """How one recipe fared."""

    recipe: str
    word: str  # rehearsed, skipped or FAILED
    seconds: float = 0.0
    said: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", help="those to rehearse; all unless some are named")
    parser.add_argument("--lanes", type=int, default=min(MOST_LANES, len(os.sched_getaffinity(0))), help="side by side")
    parser.add_argument("--folder", type=Path, help="where the store is kept; else a temporary one")
    arguments = parser.parse_args()
    names = arguments.recipes or recipe_names(own_folders().recipes or Path())
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as temporary,
        closing(Workplace(arguments.folder or Path(temporary), LONGEST)) as workplace,
    ):
        outcomes = _side_by_side(names, workplace, arguments.lanes)
    counts = {word: sum(one.word == word for one in outcomes) for word in ("rehearsed", "skipped", "FAILED")}
    print(f"{', '.join(f'{count} {word}' for word, count in counts.items())} in {time.monotonic() - began:.0f} s")
    return 1 if counts["FAILED"] else 0


def _side_by_side(names: Sequence[str], workplace: Workplace, lanes: int) -> list[Outcome]:
    """In lanes: a thread's processes inherit the cores that it is bound to."""
    cores = sorted(os.sched_getaffinity(0))
    shares: SimpleQueue[set[int]] = SimpleQueue()
    for lane in range(lanes):
        shares.put(set(cores[lane::lanes]))
    with ThreadPoolExecutor(lanes, initializer=lambda: os.sched_setaffinity(0, shares.get())) as pool:
        return list(pool.map(lambda name: _told(_rehearsed(name, workplace)), names))


def _rehearsed(name: str, workplace: Workplace) -> Outcome:
    valid = workplace.run("validate", f"recipe={name}", expected=None)
    if valid.code:
        return Outcome(name, "FAILED", valid.seconds, valid.err)
    copy = _copy_of_rows(name)
    if copy is not None and not copy.is_file():
        return Outcome(name, "skipped", said=f"its rows are a download, and there is no {copy}")
    more = [] if copy is None else ["dataset.source.name=jsonl", f"dataset.source.path={copy}"]
    ended = workplace.run("rehearse", f"recipe={name}", *more, expected=None)
    left = ", ".join(workplace.half_artifacts())
    if ended.code or left:
        return Outcome(
            name, "FAILED", ended.seconds, f"exit code {ended.code} {left}\n{ended.err or ended.out}"[-SHOWN:]
        )
    return Outcome(name, "rehearsed", ended.seconds)


def _copy_of_rows(name: str) -> Path | None:
    """Where the rows of a recipe should be that downloads them."""
    with COMPOSING:
        source = load([f"recipe={name}"], plugins()).recipe.dataset.source
    return DATA / str(source.options["url"]).rpartition("/")[2] if source.name == "url" else None


def _told(outcome: Outcome) -> Outcome:
    seconds = f"{outcome.seconds:6.0f} s" if outcome.seconds else ""
    print(f"{outcome.recipe:<24} {outcome.word:<10} {seconds}  {outcome.said}".rstrip(), flush=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
