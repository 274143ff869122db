"""Validates and rehearses every shipped recipe, in one store, and says which could not be and why.

    python tests/drill/rehearsals.py [RECIPE…] [--folder FOLDER]

A recipe whose rows come from a URL takes the copy in FTRUN_TEST_DATA, by default `../shared/data`, where it is there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from driving import Workplace
from ftrun.plugins import plugins
from ftrun.recipe.folders import own_folders, recipe_names
from ftrun.recipe.load import load
from seed_configurations import DATA

LONGEST = 1800.0  # seconds of one rehearsal
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
    parser.add_argument("--folder", type=Path, help="where the store is kept; else a temporary one")
    arguments = parser.parse_args()
    names = arguments.recipes or recipe_names(own_folders().recipes or Path())
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as temporary,
        closing(Workplace(arguments.folder or Path(temporary), LONGEST)) as workplace,
    ):
        outcomes = [_told(_rehearsed(name, workplace)) for name in names]
    counts = {word: sum(one.word == word for one in outcomes) for word in ("rehearsed", "skipped", "FAILED")}
    print(f"{', '.join(f'{count} {word}' for word, count in counts.items())} in {time.monotonic() - began:.0f} s")
    return 1 if counts["FAILED"] else 0


def _rehearsed(name: str, workplace: Workplace) -> Outcome:
    valid = workplace.run("validate", f"recipe={name}", expected=None)
    if valid.code:
        return Outcome(name, "FAILED", valid.seconds, valid.err)
    source = load([f"recipe={name}"], plugins()).recipe.dataset.source
    more: list[str] = []
    if source.name == "url":
        copy = DATA / str(source.options["url"]).rpartition("/")[2]
        if not copy.is_file():
            return Outcome(name, "skipped", said=f"its rows are a download, and there is no {copy}")
        more = ["dataset.source.name=jsonl", f"dataset.source.path={copy}"]
    ended = workplace.run("rehearse", f"recipe={name}", *more, expected=None)
    left = ", ".join(workplace.half_artifacts())
    if ended.code or left:
        return Outcome(
            name, "FAILED", ended.seconds, f"exit code {ended.code} {left}\n{ended.err or ended.out}"[-SHOWN:]
        )
    return Outcome(name, "rehearsed", ended.seconds)


def _told(outcome: Outcome) -> Outcome:
    seconds = f"{outcome.seconds:6.0f} s" if outcome.seconds else ""
    print(f"{outcome.recipe:<24} {outcome.word:<10} {seconds}  {outcome.said}".rstrip(), flush=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
