"""Drives the command line of ftrun on a store of its own, and looks at what it does: for tests and for the drill."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile, mkdtemp
from typing import Any, Self, TypeVar

import yaml
from platformdirs import user_cache_path

from ftrun.api.events import read as read_events
from ftrun.cli.main import run_command
from ftrun.execution.warm_parent import WarmParent, warm_parent
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import load

PROJECT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(__file__).resolve().parent / "scripts"  # run by the interpreters of other environments
FTRUN = Path(sys.executable).with_name("ftrun")
QUICKSTART_DATA = PROJECT / "data" / "quickstart_sql"
CACHE = user_cache_path("ftrun") / "tests"
LONGEST_RUN = 400.0  # seconds; a whole tiny run takes about 80 on two quiet cores
T = TypeVar("T")


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str
    seconds: float


class Workplace:
    """A store with a folder for recipes."""

    def __init__(self, folder: Path, longest: float = LONGEST_RUN, in_process: bool = False) -> None:
        """`in_process` runs commands in this process, so that they share what stages are forked from."""
        self.folder = folder
        self._in_process = in_process
        self.store = folder / "store"
        self._longest = longest  # seconds that a command may take
        self._started: list[subprocess.Popen[str]] = []

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "FTRUN_STORE": str(self.store), "NO_COLOR": "1", "COLUMNS": "200"}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts `ftrun ARGUMENTS` in a process group of its own, as a terminal would."""
        self.folder.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(
            [str(FTRUN), *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
            preexec_fn=_hear_interrupts,
        )
        self._started.append(process)
        return process

    def end(self, process: subprocess.Popen[str], expected: int | None = 0, began: float | None = None) -> Ended:
        """Waits for a command; fails with all that it printed where its exit code is another than expected."""
        began = began or time.monotonic()
        try:
            out, err = process.communicate(timeout=self._longest)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        ended = Ended(process.returncode, out, err, time.monotonic() - began)
        assert expected is None or ended.code == expected, f"exit code {ended.code}\n{out}\n{err}\n{self.logs()}"
        return ended

    def run(self, *arguments: str, expected: int | None = 0) -> Ended:
        began = time.monotonic()
        if not self._in_process:
            return self.end(self.start(*arguments), expected, began)
        self.folder.mkdir(parents=True, exist_ok=True)
        code, out, err = run_here(arguments, self.folder, self.environment)
        assert expected is None or code == expected, f"exit code {code}\n{out}\n{err}\n{self.logs()}"
        return Ended(code, out, err, time.monotonic() - began)

    def close(self) -> None:
        """Ends whatever a test that failed has left running."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        for pid in self.stage_processes():
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    # --- what there is in the store

    def runs(self) -> list[Path]:
        """Folders of the runs, the newest last."""
        found = [path.parent for path in self.store.glob("runs/*/run.json")]
        return sorted(found, key=lambda folder: read_json(folder / "run.json")["created"])

    def events(self, run: Path | None = None) -> list[dict[str, Any]]:
        """The events of a run, the last unless another is named."""
        folder = run or self.runs()[-1]
        return list(read_events(folder / "events.jsonl"))

    def calls(self, kind: str, run: Path | None = None) -> list[str]:
        """Labels of the calls that have an event of a kind, in order."""
        return [event["call"] for event in self.events(run) if event["kind"] == kind]

    def losses(self, run: Path | None = None) -> dict[int, set[float]]:
        """Every loss that training reported, by step: more than one where a resumed try did another than the first."""
        found: dict[int, set[float]] = {}
        for event in self.events(run):
            if event["kind"] == "progress" and event["call"] == "train" and "loss" in event:
                found.setdefault(int(event["step"]), set()).add(event["loss"])
        return found

    def artifact(self, label: str, run: Path | None = None) -> Path:
        """The artifact of a call of a run."""
        results = read_json((run or self.runs()[-1]) / "run.json")["results"]
        return self.store / "artifacts" / str(results[label]["artifact"])

    def evaluation(self, run: Path | None = None) -> dict[str, Any]:
        values: dict[str, Any] = read_json(self.artifact("evaluate", run) / "evaluation.json")
        return values

    def logs(self) -> str:
        """The ends of the logs of the last run, for a test that fails."""
        if not self.runs():
            return ""
        files = sorted((self.runs()[-1] / "logs").glob("*.log"))
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in files)

    def half_artifacts(self) -> list[str]:
        """Artifact folders without a manifest, or with a file of another size than it says."""
        return self.half_artifacts_in(self.store)

    @staticmethod
    def half_artifacts_in(store: Path) -> list[str]:
        """The same of any store."""
        found = []
        for folder in store.glob("artifacts/*/*"):
            try:
                files = read_json(folder / "manifest.json")["files"]
                whole = all((folder / file["path"]).stat().st_size == file["size"] for file in files)
            except (OSError, ValueError, KeyError):
                whole = False
            if not whole:
                found.append(str(folder.relative_to(store)))
        return found

    # --- what is going on

    def stage_processes(self, stage: str = "*") -> dict[int, str]:
        """Process ids and keys of the stage processes of this store that live.

        They work in the scratch folder of their key. So do their workers, but only a stage process leads a session.
        """
        scratch = (self.store / "scratch").resolve()
        found = {}
        for pid, folder in current_folders():
            if folder.is_relative_to(scratch) and stat_of(pid)[3:4] == [str(pid)]:
                kind, key, *_ = folder.relative_to(scratch).parts
                found[pid] = (kind, key)
        return {pid: key for pid, (kind, key) in found.items() if fnmatch(kind, stage)}

    def rank_processes(self) -> list[int]:
        """Process ids of the trainer's ranks, where there are several; workers that they forked do not count."""
        found = self._processes("ftrun_plugins.axolotl.train.distributed")
        return sorted(pid for pid in found if int((*stat_of(pid), "0", "0")[1]) not in found)

    def _processes(self, module: str) -> dict[int, Path]:
        """Processes that run a module for this store, and the path that they got."""
        found = {}
        for pid, arguments in command_lines():
            paths = [Path(word) for word in arguments if word.startswith(str(self.store))]
            if module in arguments and paths:
                found[pid] = paths[0]
        return found

    def checkpoints(self) -> Iterator[Path]:
        """Folders of checkpoints, whole or not."""
        return self.store.glob("scratch/train/*/work/out/checkpoint-*")

    def wait_for_event(self, kind: str, call: str, process: subprocess.Popen[str] | None = None, **values: Any) -> None:
        """Returns once the last run has such an event; fails when the process ends before."""

        def there() -> bool:
            wanted = {"kind": kind, "call": call, **values}
            return bool(self.runs()) and any(wanted.items() <= event.items() for event in self.events())

        wait_until(there, f"an event `{kind}` of {call}", process)


def run_here(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Run `ftrun ARGUMENTS` in this process; return its exit code and what it printed."""
    before, there = dict(os.environ), Path.cwd()
    out, err = io.StringIO(), io.StringIO()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = run_command(list(arguments))
    finally:
        os.chdir(there)
        os.environ.clear()
        os.environ.update(before)
    return code, out.getvalue(), err.getvalue()


def _hear_interrupts() -> None:
    """A shell's background ignores Ctrl-C, and so would all that it starts; a terminal's foreground does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Watch:
    """Samples the trainers of a store in the background; `most` is how many were seen alive at one time."""

    def __init__(self, workplace: Workplace, seconds: float = 0.05) -> None:
        self._workplace = workplace
        self._seconds = seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.most = 0
        self.samples = 0
        self.seen: set[int] = set()

    def _look(self) -> None:
        while not self._over.wait(self._seconds):
            trainers = self._workplace.stage_processes("train")
            keys = list(trainers.values())
            self.most = max([self.most, *(keys.count(key) for key in keys)])
            self.seen |= set(trainers)
            self.samples += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()


def wait_until(
    found: Callable[[], T], what: str, process: subprocess.Popen[str] | None = None, seconds: float = LONGEST_RUN
) -> T:
    """The first true value of `found`; fails after a time, or when the process has ended without one."""
    end = time.monotonic() + seconds
    while True:
        ended = process is not None and process.poll() is not None
        value = found()
        if value:
            return value
        if ended or time.monotonic() > end:
            output = process.communicate() if process is not None and ended else ()
            raise AssertionError(f"{what} did not come {' '.join(output)}")
        time.sleep(0.05)


def command_lines() -> Iterator[tuple[int, list[str]]]:
    """Process ids and arguments of all processes; one that has ended but was not waited for has no arguments."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                text = (folder / "cmdline").read_bytes()
            except OSError:  # it has gone meanwhile
                continue
            yield int(folder.name), text.decode(errors="replace").rstrip("\0").split("\0")


def current_folders() -> Iterator[tuple[int, Path]]:
    """Yield the id and the current folder of each process that lives and may be looked at."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):  # it has gone meanwhile, or is another user's
                yield int(folder.name), (folder / "cwd").readlink()


def stat_of(pid: int) -> list[str]:
    """State, parent, process group, session and so on of a process, as Linux tells them; empty once it has gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()  # the name before it may hold anything, even a parenthesis


def is_alive(pid: int) -> bool:
    return stat_of(pid)[:1] not in ([], ["Z"])


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def read_json(path: Path) -> Any:
    return json.loads(path.read_text())


# --- a model and a recipe that are small enough


def base_model() -> Path:
    """The quickstart's base model: the artifact of a store that is kept between test runs."""
    kept = Workplace(CACHE / "base_model")
    kept.run("run", "recipe=quickstart", "stages=[fetch]")
    return kept.artifact("fetch:model")


def environment_python(name: str) -> str:
    return subprocess.run([FTRUN, "envs", "path", name], capture_output=True, text=True, check=True).stdout.strip()


def trainer_python() -> str:
    return environment_python("trainer")


def tiny_model() -> Path:
    """A random model with the base model's tokenizer, as rehearsals use it."""
    kept = Workplace(CACHE / "tiny")
    kept.run("run", "recipe=quickstart", "model=tiny", "stages=[fetch]")
    return kept.artifact("fetch:model")


def tiny_recipe(folder: Path, model: Path, /, **changes: Any) -> Path:
    """Writes a recipe with its data into a folder: 40 rows, 12 steps, a checkpoint every third.

    Args:
        folder: Gets `tiny.yaml`, `train.jsonl` and `held_out.jsonl`.
        model: A model's folder.
        changes: Groups of the recipe with keys to set in them, e.g. `train={"max_steps": 6}`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("train.jsonl", 40), ("held_out.jsonl", 10)):
        lines = (QUICKSTART_DATA / name).read_text().splitlines(keepends=True)
        (folder / name).write_text("".join(lines[:rows]))
    recipe: dict[str, Any] = {
        "defaults": [{"override /optimizations": ["lora"]}, {"override /evals": ["sql_execution", "held_out_loss"]}],
        "model": {
            "base_model": "ftrun/tiny",
            "context_length": 8192,
            "weights": {"origin": "folder", "path": str(model)},
        },
        "dataset": {
            "source": {"name": "jsonl", "path": "train.jsonl"},
            "held_out": {"name": "jsonl", "path": "held_out.jsonl"},
            "formatter": {"name": "chat"},
            "ignore_columns": ["schema"],
        },
        "optimizations": {"lora": {"lora_dropout": 0.1}},  # randomness that a resumed run has to go on with
        "train": {
            "sequence_len": 256,
            "micro_batch_size": 4,
            "gradient_accumulation_steps": 1,
            "max_steps": 12,
            "num_epochs": 2,
            "learning_rate": 0.02,
            "lr_scheduler": "cosine",
            "warmup_steps": 2,
            "optimizer": "adamw_torch",
            "save_steps": 3,
        },
        "generate": {"engine": "transformers", "max_new_tokens": 8, "batch_size": 10},
        "stages": ["fetch", "format", "tokenize", "train", "merge", "generate", "loss", "score", "evaluate"],
    }
    for group, values in changes.items():
        recipe[group] = values if not isinstance(values, Mapping) else {**recipe.get(group, {}), **values}
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(recipe, sort_keys=False))
    return path


@cache
def parent_of(name: str) -> WarmParent:
    """The process that has imported an environment's libraries, for as long as this one lives."""
    declared = load(["recipe=quickstart"], plugins()).recipe.environment[name]
    log = Path(mkdtemp()) / f"{name}.log"
    return warm_parent(Path(environment_python(name)), declared.variables, declared.preload, log)


def in_environment(name: str, script: Path, arguments: Sequence[str], seconds: float = 200.0) -> str:
    """Run `main` of a script in a process of an environment, forked from one that has imported its libraries.

    Returns what it printed; fails with the end of that if it fails.
    """
    parent = parent_of(name)
    assert parent.fault is None, parent.fault
    folders = {"ftrun": "runner", "ftrun_plugins": "plugins", script.stem: str(script.parent)}
    packages = {package: str(PROJECT / folder) for package, folder in folders.items()}
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "FTRUN_PACKAGES": json.dumps(packages)}
    with NamedTemporaryFile() as log, NamedTemporaryFile() as lock:
        process = parent.fork(script.stem, list(arguments), Path.cwd(), environment, log.fileno(), lock.fileno())
        assert process is not None
        try:
            wait_until(lambda: process.poll() is not None, script.name, seconds=seconds)
        except AssertionError:
            kill(process.pid)
            raise
        printed = Path(log.name).read_text(errors="replace")
        assert process.returncode == 0, printed[-3000:]
        return printed


def in_trainer(script: Path, arguments: Sequence[str], seconds: float = 200.0) -> str:
    return in_environment("trainer", script, arguments, seconds)
