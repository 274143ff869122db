"""Layout of a store: a local folder, or a volume with the same layout. Only this module defines its paths.

artifacts/<stage>/<key>/          output of a finished stage call with a manifest; immutable
scratch/<stage>/<key>/            unfinished work and checkpoints
scratch/<stage>/<key>.lock        lock that a process holds while it works on the key
files/<digest>                    input files, in remote stores
tokenizers/<digest>/              small files of models on the hub, for previews
environments/<digest>.txt         packages of environments that runs used
checks/<stage>/<key>.json         times of the files of an artifact at the last check, in remote stores
trash/                            folders that `ftrun rm` is deleting
runs/<run id>/                    run.json recipe.yaml plan.json events.jsonl logs/<call>.log report.html
"""

from __future__ import annotations

import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from ftrun.api.disk_errors import PATH_ERRORS, shorten_path
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.stage_call import Ref
from ftrun.utils.default_store import default_root

__all__ = ["MANIFEST", "RunFolder", "Scratch", "Store", "default_store"]

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Scratch:
    """Folder with the unfinished work of one stage call."""

    root: Path

    @property
    def output(self) -> Path:
        """Folder that becomes the artifact."""
        return self.root / "output"

    @property
    def work(self) -> Path:
        """Folder with data from which a later attempt of the call can continue, such as checkpoints."""
        return self.root / "work"

    @property
    def call(self) -> Path:
        """File with the stage call."""
        return self.root / "call.json"

    def discard(self) -> None:
        """Remove the folder and its content, if it exists."""
        shutil.rmtree(self.root, ignore_errors=True)

    @property
    def outcome(self) -> Path:
        """File with the outcome of the call."""
        return self.root / "outcome.json"

    @property
    def finished(self) -> Path:
        """File with the results of a stage that has finished, until its output is published."""
        return self.root / "finished.json"

    @property
    def manifest(self) -> Path:
        """Manifest of the output until it is published."""
        return self.root / "manifest.json"

    @property
    def process(self) -> Path:
        """File that identifies the process that works on the call: process id and run."""
        return self.root / "process.json"


@dataclass(frozen=True)
class RunFolder:
    """Folder with the record, events and logs of one run."""

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
        """HTML report for people to read and share."""
        return self.root / "report.html"

    @property
    def lock(self) -> Path:
        """Lock that the scheduler of the run holds."""
        return self.root / "scheduler.lock"

    @property
    def scheduler(self) -> Path:
        """File that identifies the process that holds the lock."""
        return self.root / "scheduler.json"

    def events_of(self, label: str) -> Path:
        """Return the event log of one call, for backends on which each container writes its own files."""
        return self.root / "events" / f"{label.replace(':', '.')}.jsonl"

    def log(self, label: str) -> Path:
        """Return the log of one call."""
        return self.root / "logs" / f"{label.replace(':', '.')}.log"


@dataclass(frozen=True)
class Store:
    """Store in a root folder."""

    root: Path

    def artifact(self, ref: Ref) -> Path:
        """Return the folder of an artifact."""
        return self.root / "artifacts" / ref.stage / ref.key

    def scratch(self, ref: Ref) -> Scratch:
        """Return the folder with the unfinished work on an artifact."""
        return Scratch(self.root / "scratch" / ref.stage / ref.key)

    def file(self, digest: str) -> Path:
        """Return the path of an input file by the digest of its content. Used if the store is on another machine."""
        return self.root / "files" / digest

    def check(self, ref: Ref) -> Path:
        """Return the file with the last check of an artifact. Used if the store is on another machine."""
        return self.root / "checks" / ref.stage / f"{ref.key}.json"

    def tokenizer(self, digest: str) -> Path:
        """Return the folder of the tokenizer of a model whose weights are not in the store."""
        return self.root / "tokenizers" / digest

    def packages(self, digest: str) -> Path:
        """Return the file with the packages of an environment, by the digest of the environment."""
        return self.root / "environments" / f"{digest}.txt"

    @property
    def trash(self) -> Path:
        return self.root / "trash"

    def lock(self, ref: Ref) -> Path:
        """Return the lock that a process holds while it works on an artifact."""
        return self.root / "scratch" / ref.stage / f"{ref.key}.lock"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    def run(self, run_id: str) -> RunFolder:
        """Return the folder of a run."""
        return RunFolder(self.runs / run_id)


def default_store() -> Store:
    """Return the store in the folder `FTRUN_STORE`, or in `ftrun` in the data folder of the user if it is not set.

    Raises:
        InvalidInput: If no folder can be there, e.g. because it is a file.
    """
    root = default_root()
    if (reason := _find_obstacle(root)) is not None:
        what = f"the store {shorten_path(str(root))} {reason}"
        raise InvalidInput(Problem("unusable-path", what, hint="set FTRUN_STORE to a folder"))
    return Store(root)


def _find_obstacle(root: Path) -> str | None:
    """Return the reason why a path cannot be the folder of a store, or None. It need not exist."""
    try:
        str(root).encode()
        if root.is_relative_to("/proc") or root.is_relative_to("/sys"):
            return "is in a file system of the kernel"
        is_folder = stat.S_ISDIR(root.stat().st_mode)
    except FileNotFoundError:
        return "is a link to a folder that does not exist" if root.is_symlink() else None
    except UnicodeEncodeError:
        return "has a name that is not UTF-8"
    except OSError as error:
        return PATH_ERRORS.get(error.errno or 0)
    return None if is_folder else "is no folder"
