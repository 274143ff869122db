"""Kills a run again and again, each time followed by `ftrun resume last`, and compares the end with a calm run's.

    python tests/drill/drill.py [--quickstart] [--kills 10] [--seed N] [--folder EMPTY]

Every second kill (`kill -9`) is of the stage process, the others are of ftrun itself, under which the stage process
lives on. The moments are drawn from a seed, which is printed: some are a time after the last start, some the very
moment at which a checkpoint's folder is there and its mark is not. Asserted at the end: the same evaluation, the same
adapter byte for byte, no half artifact, never two trainers at once.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from comparison import differences

from helpers.workplace import Watch, Workplace, kill, tiny_model, tiny_recipe

MARK = "complete"
SECONDS_BETWEEN_LOOKS = 0.005  # a save of the tiny model takes a few tenths of a second
IN_A_SAVE = 0.4  # share of the kills
MOST_SAVES_AWAIT = 3
LONGEST = 3600.0  # seconds of one command
Target = Literal["stage process", "ftrun"]


@dataclass(frozen=True)
class Kind:
    """What is drilled: arguments of ftrun, and in what time after a start a kill comes, in seconds."""

    arguments: tuple[str, ...]
    soonest: float
    latest: float


TINY = Kind(("recipe=tiny.yaml",), 1.0, 25.0)
QUICKSTART = Kind(("recipe=quickstart",), 5.0, 120.0)


@dataclass(frozen=True)
class Moment:
    """When a kill comes: after some seconds, or as soon as the so-manieth save from now has begun."""

    seconds: float
    save: int | None

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s after the start" if self.save is None else f"as save {self.save} begins"


class Drill:
    """One series of kills. `say` prints what happens, with the time since the beginning."""

    def __init__(self, kind: Kind, folder: Path, kills: int, seed: int) -> None:
        self._kind = kind
        self._folder = folder
        self._left = kills
        self._random = random.Random(seed)
        self._targets: list[Target] = ["stage process", "ftrun"]
        self._began = time.monotonic()
        self._rounds = 0
        self._done = 0
        self._trainers = self._most = 0
        self.failures: list[str] = []

    def run(self) -> None:
        calm = self._workplace("calm")
        self.say("a calm run first, to compare with")
        calm.run(*self._kind.arguments)
        while self._left:  # a run may end before the last kill; then another one takes the rest
            self._rounds += 1
            with closing(self._workplace(f"round-{self._rounds}")) as workplace, Watch(workplace) as watch:
                self._round(workplace)
            self._trainers += len(watch.seen)
            self._most = max(self._most, watch.most)
            if watch.most > 1:
                self.failures.append(f"{watch.most} trainers at one time in round {self._rounds}")
            self._compare(calm, workplace)

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self._began:7.1f} s  {text}", flush=True)

    def summary(self) -> str:
        found = "\n".join(f"  FAILED  {failure}" for failure in self.failures)
        told = f"{self._done} kills in {self._rounds} runs; {self._trainers} trainers, at most {self._most} at one time"
        return f"{told}\n{found}" if found else f"{told}; same numbers as the calm run, no half artifact"

    def _workplace(self, name: str) -> Workplace:
        workplace = Workplace(self._folder / name, LONGEST)
        if self._kind is TINY:
            tiny_recipe(workplace.folder, tiny_model(), train={"max_steps": 30, "num_epochs": 3, "save_steps": 2})
        return workplace

    def _round(self, workplace: Workplace) -> None:
        ftrun = workplace.start(*self._kind.arguments)
        going_on = False
        while self._left:
            moment = self._moment()
            if not self._wait(workplace, ftrun, moment):
                break
            target = self._targets[self._done % 2]
            going_on = self._kill(workplace, ftrun, target, moment)
            ftrun = ftrun if going_on else workplace.start("resume", "last")
        ended = workplace.end(ftrun, expected=None)
        if ended.code == 1 and going_on:  # with the call that was killed, after another one had started
            ended = workplace.run("resume", "last", expected=None)
        self.say(f"the run ended with exit code {ended.code}")
        if ended.code:
            self.failures.append(f"exit code {ended.code} in round {self._rounds}: {ended.err[-2000:]}")

    def _moment(self) -> Moment:
        seconds = self._random.uniform(self._kind.soonest, self._kind.latest)
        save = self._random.randint(1, MOST_SAVES_AWAIT) if self._random.random() < IN_A_SAVE else None
        return Moment(seconds, save)

    def _wait(self, workplace: Workplace, ftrun: subprocess.Popen[str], moment: Moment) -> bool:
        """Whether the moment came before ftrun ended, with a stage process to kill."""
        end = time.monotonic() + moment.seconds
        known, saves = set(workplace.checkpoints()), 0
        while ftrun.poll() is None:
            if moment.save is None:
                if time.monotonic() >= end and workplace.stage_processes():
                    return True
            else:
                new = set(workplace.checkpoints()) - known
                known |= new
                saves += len(new)
                if saves >= moment.save and any(not (folder / MARK).exists() for folder in new):
                    return True
            time.sleep(SECONDS_BETWEEN_LOOKS)
        return False

    def _kill(self, workplace: Workplace, ftrun: subprocess.Popen[str], target: Target, moment: Moment) -> bool:
        """Kills, says what was going on, and whether ftrun goes on by itself."""
        stages = workplace.stage_processes()
        doing = self._doing(workplace)
        if target == "stage process" and stages:
            victim = self._random.choice(sorted(stages))
            kill(victim)
        else:
            target = "ftrun"
            kill(ftrun.pid)
        self._done += 1
        self._left -= 1
        half = sorted(folder.name for folder in workplace.checkpoints() if not (folder / MARK).exists())
        left = f"; {', '.join(half)} without a mark" if half else ""
        self.say(f"kill {self._done}: {target}, {moment}, during {doing}{left}")
        return target == "stage process" and self._goes_on(workplace, ftrun, stages)

    def _goes_on(self, workplace: Workplace, ftrun: subprocess.Popen[str], before: dict[int, str]) -> bool:
        """Ftrun ends with the stage process that it started; one that was only attached to it starts another."""
        while ftrun.poll() is None:
            if set(workplace.stage_processes()) - set(before):
                self.say("         ftrun went on by itself")
                return True
            time.sleep(SECONDS_BETWEEN_LOOKS)
        _, errors = ftrun.communicate()
        if ftrun.returncode not in (0, 1):
            self.failures.append(f"ftrun ended with exit code {ftrun.returncode}: {errors[-2000:]}")
        return False

    def _doing(self, workplace: Workplace) -> str:
        """The calls that run, with the last step of each that has told one."""
        running: dict[str, str] = {}
        for event in workplace.events() if workplace.runs() else ():
            match event["kind"]:
                case "call_started" | "resumed":
                    running[event["call"]] = event["call"]
                case "progress" if event["call"] in running:
                    running[event["call"]] = f"{event['call']} {event['step']} {event['unit']}"
                case "call_finished" | "call_failed" | "artifact":
                    running.pop(event["call"], None)
        return ", ".join(running.values()) or "nothing"

    def _compare(self, calm: Workplace, workplace: Workplace) -> None:
        self.failures += differences(calm, workplace)
        resumed = [event["step"] for event in workplace.events() if event["kind"] == "resumed"]
        removed = [event["text"] for event in workplace.events() if "incomplete leftovers" in event.get("text", "")]
        self.say(f"training went on from the steps {resumed or 'none'}; {len(removed)} times, leftovers were removed")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quickstart", action="store_true", help="drill the real quickstart: about an hour")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=None, help="draws the same moments again")
    parser.add_argument("--folder", type=Path, help="where to work; kept. Default: a folder that is removed")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else int.from_bytes(os.urandom(3), "big")
    print(f"seed {seed}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what it started is ended, too
    with tempfile.TemporaryDirectory(prefix="ftrun-drill-") as temporary:
        kind = QUICKSTART if arguments.quickstart else TINY
        drill = Drill(kind, arguments.folder or Path(temporary), arguments.kills, seed)
        drill.run()
    print(drill.summary())
    return 1 if drill.failures else 0


if __name__ == "__main__":
    sys.exit(main())
