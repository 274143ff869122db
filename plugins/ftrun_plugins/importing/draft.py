"""The recipe that an importer makes of a configuration, with a record of what became of each key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ftrun.api.issues import KeyPath
from ftrun.utils.schema_messages import format_path

Outcome = Literal["exact", "changed", "left-out", "check", "refused"]


@dataclass(frozen=True)
class Entry:
    """Result for one key of the imported file.

    Attributes:
        key: Name of the key in the imported file, such as `datasets[0].type`.
        line: Line of the key in the imported file, or None if it is not known.
        outcome: `exact`: same meaning. `changed`: same meaning by another value or key, or another default.
            `left-out`: no meaning in ftrun. `check`: imported, but the user must look at it. `refused`: no way in.
        target: Path of the key in the recipe, such as `dataset.formatter`, or None.
        reason: Reason for the outcome. Empty only for `exact`.
        hint: Next step for the user, for `refused`.
        did_you_mean: Known names that are closest to a name that is unknown.
    """

    key: str
    line: int | None
    outcome: Outcome
    target: str | None
    reason: str = ""
    hint: str | None = None
    did_you_mean: tuple[str, ...] = ()


@dataclass
class RecipeDraft:
    """Recipe as nested keys, in the order of a recipe file, and the entries in the order of the imported file."""

    tool: str
    values: dict[str, Any] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # sentences for the header of the recipe file

    def of(self, *outcomes: Outcome) -> Iterator[Entry]:
        """Yield the entries with one of these outcomes."""
        return (entry for entry in self.entries if entry.outcome in outcomes)

    def set(self, path: str, value: Any) -> None:
        """Set a value by its dotted path, such as `dataset.split.held_out`. Names in the path have no dots."""
        *parents, last = path.split(".")
        inner = self.values
        for name in parents:
            inner = inner.setdefault(name, {})
        inner[last] = value

    def choose(self, group: str, option: str | list[str]) -> None:
        """Choose options of a config group in the `defaults` of the recipe."""
        self.values.setdefault("defaults", []).append({f"override /{group}": option})


@dataclass(frozen=True)
class ImportContext:
    """Surroundings of an import.

    Attributes:
        file: The imported file.
        folder: Folder of the recipe file, to which paths in the recipe are relative.
        lines: Line of each key path in the imported file.
        dataset_info: File with descriptions of datasets, for tools that have one.
    """

    file: Path
    folder: Path
    lines: Mapping[KeyPath, int]
    dataset_info: Path | None = None

    def line(self, *path: str | int) -> int | None:
        """Return the line of a key, or of its nearest parent that has one."""
        return next((self.lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.lines), None)

    def find(self, path: str) -> Path | None:
        """Return the file or folder of a relative path, from the current folder or from that of the imported file."""
        places = (folder / Path(path).expanduser() for folder in (Path.cwd(), self.file.absolute().parent))
        return next((place for place in places if place.exists()), None)

    def relative(self, path: str) -> str:
        """Return the path of a file or folder for use in the recipe. A path that does not exist stays as it is."""
        found = self.find(path)
        return path if found is None else self.relative_to_recipe(found)

    def relative_to_recipe(self, place: Path) -> str:
        """Return a path for use in the recipe: relative to its folder if the path is below it, else absolute."""
        place, folder = place.resolve(), self.folder.resolve()
        return str(place.relative_to(folder)) if place.is_relative_to(folder) else str(place)


@dataclass(frozen=True)
class Recorder:
    """Record of what becomes of each key, as entries of a draft."""

    draft: RecipeDraft
    context: ImportContext

    def exact(self, path: KeyPath, target: str | None = None) -> None:
        """Record a key with the same meaning at its target. Without a target, its value changes nothing."""
        self._add(path, "exact", target, "")

    def changed(self, path: KeyPath, target: str | None, reason: str) -> None:
        """Record a key with the same meaning by another key or value."""
        self._add(path, "changed", target, reason)

    def leave_out(self, path: KeyPath, reason: str) -> None:
        """Record a key that has no meaning in ftrun, and does not change the training."""
        self._add(path, "left-out", None, reason)

    def check(self, path: KeyPath, target: str | None, reason: str, did_you_mean: tuple[str, ...] = ()) -> None:
        """Record a key that the user must look at."""
        self._add(path, "check", target, reason, did_you_mean=did_you_mean)

    def refuse(self, path: KeyPath, reason: str, hint: str | None = None, did_you_mean: tuple[str, ...] = ()) -> None:
        """Record a key for which there is no way in."""
        self._add(path, "refused", None, reason, hint, did_you_mean)

    def _add(
        self,
        path: KeyPath,
        outcome: Outcome,
        target: str | None,
        reason: str,
        hint: str | None = None,
        did_you_mean: tuple[str, ...] = (),
    ) -> None:
        line = self.context.line(*path)
        self.draft.entries.append(Entry(format_path(path), line, outcome, target, reason, hint, did_you_mean))
