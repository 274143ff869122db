"""Kills a run in each phase in which a stage writes files, and fills its disk; each time, `ftrun resume last` follows.

    python tests/drill/aimed_kills.py [--seed N] [--only NAME…] [--folder EMPTY]

A kill is aimed: the drill watches the scratch folder and kills as soon as the first file of a phase is there, or a
moment after that. The moment, and whether ftrun dies with its stage process, come from a seed, which is printed.
Asserted after the last resume: the same numbers and weights as without a kill, and no half artifact. A phase that no
kill hits fails the drill.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from comparison import differences
from fetched import FETCHES, Fetched
from phases import OF_A_RUN, Phase

from helpers.full_disk import filled, small_disk
from helpers.workplace import Workplace, kill, read_json, tiny_model, tiny_recipe

SECONDS_BETWEEN_LOOKS = 0.001
MOST_ROUNDS = 3  # in which a phase may be hit
LONGEST = 1800.0  # seconds of one command
RUN = ("recipe=tiny.yaml",)
LETTERS = 1500  # of the output of a command that failed
MADE_FIRST = ("fetch",)  # stages whose artifacts a round gets from the calm run
# Bytes that are left when training starts, least and most: for its first files, its checkpoints, the merged model.
FREE = ((250_000, 400_000), (500_000, 4_000_000), (6_000_000, 12_000_000))
FILLED_LATER = ("fetch", "format", "tokenize", "check")  # likewise, before the disk is full


class AimedKills:
    """All kills of one seed. `failures` is empty if every phase was hit and every run came to the calm one's end."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._random = random.Random(seed)
        self._began = time.monotonic()
        self.hits: dict[str, int] = {}
        self.failures: list[str] = []

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self._began:7.1f} s  {text}", flush=True)

    def kill_runs(self, phases: Sequence[Phase]) -> None:
        """Kill one run in all phases, one after the other; take another run for those that no kill hit."""
        calm = self._calm_run()
        left = list(phases)
        for number in range(MOST_ROUNDS):
            if left:
                with closing(self._recipe_folder(f"round-{number + 1}")) as workplace:
                    _copy_artifacts(calm, workplace, MADE_FIRST)
                    self._kill_in_turn(workplace, RUN, left, number)
                    self._fail(differences(calm, workplace), f"round {number + 1}")
                left = [phase for phase in left if phase.name not in self.hits]
        self._fail([f"no kill hit the phase `{phase.name}`" for phase in left], "runs")

    def kill_fetch(self, fetched: Fetched) -> None:
        """Kill a run that only fetches, in each of its phases."""
        with fetched.served():
            calm = self._calm_fetch(fetched)
            left = list(fetched.phases)
            for number in range(MOST_ROUNDS):
                if left:
                    with closing(self._fetch_folder(fetched, f"round-{number + 1}")) as workplace:
                        self._kill_in_turn(workplace, fetched.arguments, left, number)
                        self._fail(_other_files(calm, workplace), fetched.name)
                    left = [phase for phase in left if phase.name not in self.hits]
        self._fail([f"no kill hit the phase `{phase.name}`" for phase in left], fetched.name)

    def fill_disk(self, fetched: Fetched | None = None) -> None:
        """Fill the disk of a run, then free it and resume. Skipped if this user may not mount a small disk."""
        name = fetched.name if fetched else "train"
        with small_disk(self._folder / f"disk-{name.replace(' ', '-')}") as disk:
            if disk is None:
                self.say(f"full disk during {name}: SKIPPED, this user may not mount a disk")
            elif fetched is None:
                self._fill_training(disk)
            else:
                with fetched.served():
                    self._fill_fetch(fetched, disk)

    def _fill_training(self, disk: Path) -> None:
        calm = self._calm_run()
        for number, (least, most) in enumerate(FREE):
            free = self._random.randint(least, most)
            with closing(self._recipe_folder(f"full-{number + 1}", disk)) as workplace:
                _copy_artifacts(calm, workplace, FILLED_LATER)
                self._fill(workplace, RUN, disk, free, "train")
                self._fail(differences(calm, workplace), f"disk with {free:,} bytes")
            shutil.rmtree(workplace.store)

    def _fill_fetch(self, fetched: Fetched, disk: Path) -> None:
        calm = self._calm_fetch(fetched)
        size = sum(path.stat().st_size for path in calm.store.glob("artifacts/fetch/*/*"))
        with closing(self._fetch_folder(fetched, "full", disk)) as workplace:
            self._fill(workplace, fetched.arguments, disk, self._random.randint(size // 4, size // 2), fetched.name)
            self._fail(_other_files(calm, workplace), f"{fetched.name} on a full disk")

    def _fill(self, workplace: Workplace, arguments: Sequence[str], disk: Path, free: int, name: str) -> None:
        with filled(disk, free):
            ended = workplace.run(*arguments, expected=None)
        told = "[disk-full]" in "".join(ended.err.split())  # whatever the width of the terminal
        self.say(f"full disk during {name}, {free:,} bytes left: exit code {ended.code}, {'' if told else 'NOT '}told")
        if ended.code != 1 or not told:
            self.failures.append(f"{name} on a full disk ended with {ended.code}: {ended.err[-LETTERS:]}")
        # A disk that is full before the run is listed leaves nothing to resume.
        self._end(workplace, workplace.start(*(("resume", "last") if workplace.runs() else arguments)))

    # --- one run

    def _kill_in_turn(
        self, workplace: Workplace, arguments: Sequence[str], phases: Sequence[Phase], number: int
    ) -> None:
        ftrun = workplace.start(*arguments)
        for phase in phases:
            delay = self._random.uniform(0, phase.latest) if number == 0 else 0.0
            folder = self._wait(workplace, ftrun, phase)
            if folder is None:
                self.say(f"{phase.name}: the run ended without it")
                continue
            time.sleep(delay)
            self._kill(workplace, ftrun, phase, folder, delay)
            ftrun = workplace.start("resume", "last")
        self._end(workplace, ftrun)

    def _wait(self, workplace: Workplace, ftrun: subprocess.Popen[str], phase: Phase) -> Path | None:
        """Return the scratch folder in which the phase has begun, or None if ftrun ended before."""
        while ftrun.poll() is None:
            with suppress(FileNotFoundError):  # a folder may vanish while it is looked at
                folder = phase.find(workplace)
                if folder is not None and (folder / "process.json").exists():
                    return folder
            time.sleep(SECONDS_BETWEEN_LOOKS)
        return None

    def _kill(
        self, workplace: Workplace, ftrun: subprocess.Popen[str], phase: Phase, folder: Path, delay: float
    ) -> None:
        """Kill the stage process with its children, with or without ftrun, and note if the phase was hit."""
        with_ftrun = self._random.random() < 0.5
        with suppress(FileNotFoundError, ProcessLookupError, TypeError):  # it has ended
            os.killpg(read_json(folder / "process.json")["pid"], signal.SIGKILL)
        if with_ftrun:
            kill(ftrun.pid)
        ended = workplace.end(ftrun, expected=None)
        if not with_ftrun and ended.code not in (0, 1):
            self.failures.append(f"ftrun ended with {ended.code} in {phase.name}: {ended.err[-LETTERS:]}")
        hit = phase.find(workplace) == folder
        if hit:
            self.hits[phase.name] = self.hits.get(phase.name, 0) + 1
        whom = "ftrun and its stage" if with_ftrun else "the stage"
        self.say(f"{phase.name}: killed {whom} {delay:.3f} s after its first file, {'half' if hit else 'too late'}")

    def _end(self, workplace: Workplace, ftrun: subprocess.Popen[str]) -> None:
        ended = workplace.end(ftrun, expected=None)
        if ended.code:
            self.failures.append(f"a resume ended with exit code {ended.code}: {ended.err[-LETTERS:]}")
        left = [str(folder.relative_to(workplace.store)) for folder in workplace.store.glob("scratch/*/*/")]
        self._fail([f"{folder} is left" for folder in left], "after the last resume")

    def _fail(self, found: Sequence[str], where: str) -> None:
        self.failures += [f"{where}: {text}" for text in found]

    # --- places

    def _calm_run(self) -> Workplace:
        calm = self._recipe_folder("calm")
        if not calm.runs():
            self.say("a calm run first, to compare with")
            calm.run(*RUN)
        return calm

    def _calm_fetch(self, fetched: Fetched) -> Workplace:
        calm = self._fetch_folder(fetched, "calm")
        if not calm.runs():
            calm.run(*fetched.arguments)
        return calm

    def _recipe_folder(self, name: str, above: Path | None = None) -> Workplace:
        workplace = Workplace((above or self._folder) / name, LONGEST)
        train = {"max_steps": 6, "save_steps": 2}
        tiny_recipe(workplace.folder, tiny_model(), train=train, generate=GENERATE)
        return workplace

    def _fetch_folder(self, fetched: Fetched, name: str, above: Path | None = None) -> Workplace:
        workplace = Workplace((above or self._folder) / f"{fetched.name.replace(' ', '-')}-{name}", LONGEST)
        fetched.write(workplace.folder)
        return workplace


GENERATE = {"engine": "transformers", "max_new_tokens": 8, "batch_size": 1}  # a line is written after each answer


def _copy_artifacts(source: Workplace, target: Workplace, stages: Sequence[str]) -> None:
    for stage in stages:
        if (source.store / "artifacts" / stage).exists():
            shutil.copytree(source.store / "artifacts" / stage, target.store / "artifacts" / stage)


def _other_files(calm: Workplace, workplace: Workplace) -> list[str]:
    """Return the artifacts whose files are others than those of the calm run."""
    found = [f"half artifact {name}" for name in workplace.half_artifacts()]
    for manifest in calm.store.glob("artifacts/fetch/*/manifest.json"):
        other = workplace.store / manifest.relative_to(calm.store)
        if not other.exists() or _contents(other) != _contents(manifest):
            found.append(f"{manifest.parent.name} has other files than the calm run's")
    return found


def _contents(manifest: Path) -> dict[str, str]:
    return {file["path"]: file["sha256"] for file in read_json(manifest)["files"]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=None, help="draws the same moments again")
    parser.add_argument("--only", nargs="*", help="names of phases and of full disks; all unless some are named")
    parser.add_argument("--folder", type=Path, help="where to work; kept. Default: a folder that is removed")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else int.from_bytes(os.urandom(3), "big")
    print(f"seed {seed}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what it started is ended, too
    with tempfile.TemporaryDirectory(prefix="ftrun-aimed-") as temporary:
        drill = AimedKills(arguments.folder or Path(temporary), seed)
        for name, step in _steps(drill):
            if not arguments.only or name in arguments.only:
                step()
    print(f"{sum(drill.hits.values())} phases hit: {', '.join(drill.hits)}")
    for failure in drill.failures:
        print(f"  FAILED  {failure}")
    return 1 if drill.failures else 0


def _steps(drill: AimedKills) -> Iterator[tuple[str, Callable[[], None]]]:
    yield "run", lambda: drill.kill_runs(OF_A_RUN)
    yield "full disk", drill.fill_disk
    for fetched in FETCHES:
        yield fetched.name, lambda fetched=fetched: drill.kill_fetch(fetched)
        yield f"full disk {fetched.name}", lambda fetched=fetched: drill.fill_disk(fetched)


if __name__ == "__main__":
    sys.exit(main())
