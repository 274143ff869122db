"""Phases of a run in which a stage writes files, and whether the files of a phase are half written right now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ftrun.api.checkpoints import is_complete
from helpers.workplace import Workplace


@dataclass(frozen=True)
class Phase:
    """A phase of a stage. `is_half` is true from its first file until what it writes is complete."""

    name: str
    stage: str
    is_half: Callable[[Path], bool]  # of the scratch folder of a call
    latest: float  # seconds after its first file; kills come between that file and this

    def find(self, workplace: Workplace) -> Path | None:
        """Return the scratch folder of the call that is in this phase, or None."""
        return next((folder for folder in self._folders(workplace) if self.is_half(folder)), None)

    def _folders(self, workplace: Workplace) -> Iterator[Path]:
        for folder in workplace.store.glob(f"scratch/{self.stage}/*/"):
            if not (workplace.store / "artifacts" / self.stage / folder.name).exists():
                yield folder


def _has_files(pattern: str) -> Callable[[Path], bool]:
    return lambda folder: any(path.is_file() for path in folder.glob(pattern))


def _has_unmarked(pattern: str) -> Callable[[Path], bool]:
    def is_half(folder: Path) -> bool:
        return any(not is_complete(path) and any(path.iterdir()) for path in folder.glob(pattern))

    return is_half


def _has_some_answers(folder: Path) -> bool:
    try:
        return (folder / "work" / "predictions.jsonl").stat().st_size > 0
    except FileNotFoundError:
        return False


# In the order in which a run reaches them.
OF_A_RUN = (
    Phase("formatted rows", "format", _has_files("output/*.jsonl"), 0.02),
    Phase("tokenized rows", "tokenize", _has_files("work/*.arrow"), 0.02),
    Phase("prepared rows", "train", _has_unmarked("work/prepared"), 0.2),
    Phase("checkpoint", "train", _has_unmarked("work/out/checkpoint-*"), 0.2),
    Phase("adapter", "train", _has_files("work/out/adapter_model.safetensors"), 0.3),
    Phase("merge shards", "merge", _has_files("work/out/**/*.safetensors*"), 0.05),
    Phase("answers", "generate", _has_some_answers, 0.5),
)
INSTALLED_PACKAGE = Phase("installed package", "fetch", _has_unmarked("work/package"), 0.5)
CONVERTED_MODEL = Phase("GGUF conversion", "fetch", _has_files("output/*"), 1.0)
DOWNLOADED_FILE = Phase("download of a file", "fetch", _has_files("work/content"), 1.0)
DOWNLOADED_MODEL = Phase("download of a model", "fetch", _has_files("work/model/.cache/**/*.incomplete"), 1.0)
