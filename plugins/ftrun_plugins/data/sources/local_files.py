"""Finds the files that a `path` names: one file, all of a kind below a folder, or those that a pattern matches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.sources import InputFile
from ftrun_plugins.data.sources.file_signature import check_exists
from ftrun_plugins.data.sources.path_checks import check_path

MOST_FILES = 10_000
MAGIC = frozenset("*?[")
PACKED = ".gz"


def local_files(path: Path, suffixes: Sequence[str], kind: str) -> list[InputFile]:
    """The files in the order of their names, which are relative to the folder.

    Args:
        path: A file, a folder, or a pattern such as `rows/*.jsonl`, where `**` stands for any folders.
        suffixes: Of the files that are taken from a folder; each also packed, with `.gz`.
        kind: What such a file is, for messages: `a CSV file`.

    Raises:
        InvalidInput: where there is none, or far too many.
    """
    check_path(path, kind)
    if path.is_dir():
        found = [file for file in _below(path, path.rglob("*")) if _suffix(file) in suffixes]
        if not found:
            inside = sorted(file.name for file in path.iterdir())[:3]
            what = f"no file in the folder ends in {' or '.join(suffixes)}"
            raise InvalidInput(Problem("no-files", what, str(path), f"{kind}, or a folder of such", tuple(inside)))
        return _externals(path, found)
    if path.exists() or not MAGIC & set(str(path)):
        check_exists(path, kind)
        return [InputFile(name=path.name, path=path)]
    folder = next(parent for parent in path.parents if not MAGIC & set(str(parent)))
    if not folder.is_dir():
        check_exists(folder / "x", kind)
    found = _below(folder, folder.glob(str(path.relative_to(folder))))
    if not found:
        beside = sorted(file.name for file in folder.iterdir())[:3]
        raise InvalidInput(Problem("no-files", "no file matches", str(path), kind, tuple(beside)))
    return _externals(folder, found)


def _below(folder: Path, paths: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.is_file():
            found.append(path)
        if len(found) > MOST_FILES:
            raise InvalidInput(
                Problem("too-large", f"there are more than {MOST_FILES:,} files", str(folder), hint="put them together")
            )
    return found


def _suffix(path: Path) -> str:
    return Path(path.name.lower().removesuffix(PACKED)).suffix


def _externals(folder: Path, found: Sequence[Path]) -> list[InputFile]:
    names = sorted((path.relative_to(folder).as_posix(), path) for path in found)
    return [InputFile(name=name, path=path) for name, path in names]
