"""The one place that knows where things are in a store: a local folder, or a volume with the same layout.

artifacts/<stage>/<key>/          finished work, with a manifest; immutable
scratch/<stage>/<key>/            unfinished work, checkpoints
scratch/<stage>/<key>.lock        held while a process works on the key
files/<digest>                    outside files, in stores elsewhere
tokenizers/<digest>/              small files of models of the hub, for previews
environments/<digest>.txt         the packages of environments that runs used
trash/                            what `ftrun rm` is about to delete
runs/<run id>/                    run.json recipe.yaml plan.json events.jsonl logs/<call>.log report.html
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ftrun.api.stage_call import Ref
from ftrun.utils.default_store import default_root

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Scratch:
    """The unfinished work of one call."""

    root: Path

    @property
    def output(self) -> Path:
        """What becomes the artifact."""
        return self.root / "output"

    @property
    def work(self) -> Path:
        """What a later try of the same call may go on from, e.g. checkpoints."""
        return self.root / "work"

    @property
    def call(self) -> Path:
        return self.root / "call.json"

    def discard(self) -> None:
        """Removes all of it; nothing happens where there is none."""
        shutil.rmtree(self.root, ignore_errors=True)

    @property
    def outcome(self) -> Path:
        return self.root / "outcome.json"

    @property
    def manifest(self) -> Path:
        """Of the output, until it is published."""
        return self.root / "manifest.json"

    @property
    def process(self) -> Path:
        """Who works here now: process id and run."""
        return self.root / "process.json"


@dataclass(frozen=True)
class RunFolder:
    """The record of one run."""

    root: Path

    @property
    def id(self) -> str:
        return self.root.name

    @property
    def record(self) -> Path:
        return self.root / "run.json"

    @property
    def recipe(self) -> Path:
        return self.root / "recipe.yaml"

    @property
    def plan(self) -> Path:
        return self.root / "plan.json"

    @property
    def events(self) -> Path:
        return self.root / "events.jsonl"

    @property
    def report(self) -> Path:
        """What people look at, and pass on."""
        return self.root / "report.html"

    @property
    def lock(self) -> Path:
        """Held by the scheduler of the run."""
        return self.root / "scheduler.lock"

    @property
    def scheduler(self) -> Path:
        """The process that holds the lock."""
        return self.root / "scheduler.json"

    def events_of(self, label: str) -> Path:
        """Events of one call, where each container writes files of its own."""
        return self.root / "events" / f"{label.replace(':', '.')}.jsonl"

    def log(self, label: str) -> Path:
        return self.root / "logs" / f"{label.replace(':', '.')}.log"


@dataclass(frozen=True)
class Store:
    """A store by its root folder."""

    root: Path

    def artifact(self, ref: Ref) -> Path:
        return self.root / "artifacts" / ref.stage / ref.key

    def scratch(self, ref: Ref) -> Scratch:
        return Scratch(self.root / "scratch" / ref.stage / ref.key)

    def file(self, digest: str) -> Path:
        """An outside file by its content, where the machine that has it is another."""
        return self.root / "files" / digest

    def tokenizer(self, digest: str) -> Path:
        """The tokenizer of a model whose weights are not here."""
        return self.root / "tokenizers" / digest

    def packages(self, digest: str) -> Path:
        """The lock of an environment, by the environment's digest."""
        return self.root / "environments" / f"{digest}.txt"

    @property
    def trash(self) -> Path:
        return self.root / "trash"

    def lock(self, ref: Ref) -> Path:
        return self.root / "scratch" / ref.stage / f"{ref.key}.lock"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    def run(self, run_id: str) -> RunFolder:
        return RunFolder(self.runs / run_id)


def default_store() -> Store:
    """The folder in `FTRUN_STORE`, else `ftrun` in the user's data folder."""
    return Store(default_root())
