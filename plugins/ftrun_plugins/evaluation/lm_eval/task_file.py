"""Reads a task file of lm-evaluation-harness here, as data: what it names beside itself becomes digests.

    dataset_kwargs: {data_files: {test: rows.jsonl}}    the digest of the file in place of its name
    process_docs: !function helpers.clean               {"!function": [digest of helpers.py, "clean"]}

So the stage that asks the task needs no folder, and none of a file's places is in its key. A file that names functions,
or otherwise makes the harness run code, is refused unless the recipe trusts it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from ftrun.api.errors import InvalidInput, Problem

FUNCTION = "!function"
BUILDERS = ("json", "csv", "text", "parquet", "arrow")  # of `datasets`, for files; another unpickles what it reads
OF_THE_HUB = re.compile(r"\w[\w.-]*/\w[\w.-]*")
TRUST = "if you trust it, set trust_remote_code=true in the evaluation"


class TaskFile:
    """A task file that is read.

    Args:
        path: The file.
        trusted: Whether it may name code.
        digest: Of a file.

    Raises:
        InvalidInput: it is missing, is no task, or asks for what is not allowed.
    """

    def __init__(self, path: Path, trusted: bool, digest: Callable[[Path], str]) -> None:
        self.path = path
        self._digest = digest
        self.files: dict[str, Path] = {}
        read = _read(path, ())
        if not isinstance(read.get("task"), str):
            raise self._refused("it describes no task", "a key `task` with the task's name")
        if not trusted:
            for what in _code(read, ""):
                raise self._refused(what, do=TRUST)
        self.config: dict[str, Any] = self._without_places(read)
        if "custom_dataset" not in read:
            self._take_data(read)

    @property
    def is_local(self) -> bool:
        """Whether nothing of it has to be downloaded."""
        return self.config.get("dataset_path") in BUILDERS

    def _take_data(self, read: Mapping[str, Any]) -> None:
        where, options = read.get("dataset_path"), dict(read.get("dataset_kwargs") or {})
        if where in BUILDERS:
            if not options.get("data_files") or "data_dir" in options:
                raise self._refused(
                    "it names no files of rows", "`dataset_kwargs.data_files`, relative to the task file"
                )
            self.config["dataset_kwargs"] = {**options, "data_files": self._data(options["data_files"])}
        elif not isinstance(where, str) or not OF_THE_HUB.fullmatch(where) or (self.path.parent / where).exists():
            expected = f"one of {', '.join(BUILDERS)} with `dataset_kwargs.data_files`, or OWNER/NAME on the hub"
            raise self._refused(f"`dataset_path` is {where!r}", expected)

    def _data(self, named: Any) -> Any:
        if isinstance(named, Mapping):
            return {split: self._data(inner) for split, inner in named.items()}
        if isinstance(named, list):
            return [self._data(inner) for inner in named]
        return self._file(str(named))

    def _without_places(self, value: Any) -> Any:
        """The same, with digests of code in place of modules' names."""
        if isinstance(value, _Function):
            module, _, name = value.rpartition(".")
            return {FUNCTION: [self._file(f"{module.replace('.', '/')}.py"), name]}
        if isinstance(value, Mapping):
            return {str(key): self._without_places(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._without_places(inner) for inner in value]
        return value

    def _file(self, name: str) -> str:
        path = self.path.parent / name
        if not path.is_file():
            raise self._refused(f"it names {name}, and there is no such file", "a path relative to the task file")
        digest = self._digest(path)
        self.files[digest] = path
        return digest

    def _refused(self, what: str, expected: str | None = None, do: str | None = None) -> InvalidInput:
        return InvalidInput(Problem("invalid-task", what, str(self.path), expected, hint=do))


class _Function(str):
    """`MODULE.NAME` behind the tag `!function`."""


class _Loader(yaml.SafeLoader):
    """Plain data, and functions by name: nothing is imported."""


def _function(loader: _Loader, node: yaml.ScalarNode) -> _Function:
    return _Function(loader.construct_scalar(node))


_Loader.add_constructor(FUNCTION, _function)


def _read(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    """The file over the files that it includes, as the harness lays them."""
    if path in seen:
        raise InvalidInput(Problem("invalid-task", "it includes itself", str(path)))
    try:
        values = yaml.load(path.read_bytes(), _Loader)  # noqa: S506  (a safe one)
    except OSError as error:
        raise InvalidInput(
            Problem("file-unreadable", f"the task file cannot be read: {error.strerror}", str(path))
        ) from error
    except yaml.YAMLError as error:
        raise InvalidInput(
            Problem("invalid-yaml", f"the task file is no YAML: {' '.join(str(error).split())}"[:300], str(path))
        ) from error
    if not isinstance(values, dict):
        raise InvalidInput(Problem("invalid-task", "the task file is no mapping", str(path)))
    included = values.pop("include", [])
    merged: dict[str, Any] = {}
    for name in included if isinstance(included, list) else [included]:
        merged.update(_read((path.parent / str(name)).resolve(), (*seen, path)))
    return {**merged, **values}


def _code(value: Any, path: str) -> Iterator[str]:
    """What in a file would run code."""
    if isinstance(value, _Function):
        yield f"`{path}` names a function, and a recipe runs no code"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key in ("class", "unsafe_code", "hf_evaluate") and inner:
                yield f"`{key}` runs code, and a recipe runs none"
            yield from _code(inner, f"{path}.{key}".removeprefix("."))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _code(inner, f"{path}[{index}]")
