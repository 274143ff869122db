"""Search for the files of the option `path`: one file, the files of a kind below a folder, or matches of a pattern."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.sources import InputFile
from ftrun_plugins.data.sources.file_signature import check_exists
from ftrun_plugins.data.sources.open_data import unpacked_name
from ftrun_plugins.data.sources.path_checks import check_path

MOST_FILES = 10_000
MAGIC = frozenset("*?[")


def local_files(path: Path, suffixes: Sequence[str], kind: str) -> list[InputFile]:
    """Return the files, sorted by their names. Names are relative to the folder.

    Args:
        path: A file, a folder, or a pattern such as `rows/*.jsonl`, where `**` stands for any folders.
        suffixes: Suffixes of the files to take from a folder. Compressed files with these suffixes are taken, too.
        kind: Kind of file for messages, such as `a CSV file`.

    Raises:
        InvalidInput: If there is no file, or if there are too many files.
    """
    check_path(path, kind)
    if path.is_dir():
        matches = [file for file in _list_visible(path, path.rglob("*")) if _get_suffix(file) in suffixes]
        if not matches:
            names = sorted(file.name for file in path.iterdir())[:3]
            what = f"no file in the folder ends in {' or '.join(suffixes)}"
            raise InvalidInput(Problem("no-files", what, str(path), f"{kind}, or a folder that has one", tuple(names)))
        return _make_inputs(path, matches)
    if path.exists() or not MAGIC & set(str(path)):
        check_exists(path, kind)
        return [InputFile(name=path.name, path=path)]
    folder = next(parent for parent in path.parents if not MAGIC & set(str(parent)))
    if not folder.is_dir():
        check_exists(folder / "x", kind)
    matches = _list_visible(folder, folder.glob(str(path.relative_to(folder))))
    if not matches:
        names = sorted(file.name for file in folder.iterdir())[:3]
        raise InvalidInput(Problem("no-files", "no file matches", str(path), kind, tuple(names)))
    return _make_inputs(folder, matches)


def _list_visible(folder: Path, paths: Iterable[Path]) -> list[Path]:
    matches: list[Path] = []
    for path in paths:
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not is_hidden and path.is_file():
            matches.append(path)
        if len(matches) > MOST_FILES:
            raise InvalidInput(
                Problem(
                    "too-large",
                    f"there are more than {MOST_FILES:,} files",
                    str(folder),
                    hint="merge them into fewer files",
                )
            )
    return matches


def _get_suffix(path: Path) -> str:
    return Path(unpacked_name(path.name)).suffix


def _make_inputs(folder: Path, paths: Sequence[Path]) -> list[InputFile]:
    names = sorted((path.relative_to(folder).as_posix(), path) for path in paths)
    return [InputFile(name=name, path=path) for name, path in names]
