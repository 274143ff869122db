"""Task files of lm-evaluation-harness. The client reads them as data and replaces the names of other files by digests.

    dataset_kwargs: {data_files: {test: rows.jsonl}}    becomes {data_files: {test: digest of rows.jsonl}}
    process_docs: !function helpers.clean               becomes {"!function": [digest of helpers.py, "clean"]}

So the stage does not need the folder of the task file, and its key contains no paths. A file that names functions, or
makes the harness run code in another way, is an error unless the recipe trusts it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.recipe_files import read_recipe_file, syntax_error
from ftrun.utils.yaml_shape import TOO_DEEP, ShapeError, check_shape

FUNCTION = "!function"
BUILDERS = ("json", "csv", "text", "parquet", "arrow")  # builders of `datasets` for files; `pandas` would unpickle them
MOST_INCLUDES = 50  # files
HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*")
TRUST = "if you trust it, set trust_remote_code=true in the evaluation"


class TaskFile:
    """Content of a task file, and the files that it names.

    Args:
        path: The path of the task file.
        trusted: True if the task file may name code.
        digest: A function that returns the digest of a file.

    Raises:
        InvalidInput: If the file is missing, describes no task, or uses a feature that is not allowed.
    """

    def __init__(self, path: Path, trusted: bool, digest: Callable[[Path], str]) -> None:
        self.path = path
        self._digest = digest
        self.files: dict[str, Path] = {}
        values = _read(path, (), [])
        if not isinstance(values.get("task"), str):
            raise self._make_error("the file does not describe one task", "a key `task` with the name of the task")
        if not trusted:
            for what in _find_code(values, ""):
                raise self._make_error(what, hint=TRUST)
        self.config: dict[str, Any] = self._replace_modules(values)
        if "custom_dataset" not in values:
            self._replace_data(values)

    @property
    def is_local(self) -> bool:
        """True if the task needs no download."""
        return self.config.get("dataset_path") in BUILDERS

    def _replace_data(self, values: Mapping[str, Any]) -> None:
        """Replace the names of data files by digests."""
        dataset, options = values.get("dataset_path"), dict(values.get("dataset_kwargs") or {})
        if dataset in BUILDERS:
            if not options.get("data_files") or "data_dir" in options:
                raise self._make_error(
                    "the task needs `dataset_kwargs.data_files`, without `data_dir`", "paths relative to the task file"
                )
            self.config["dataset_kwargs"] = {**options, "data_files": self._replace_names(options["data_files"])}
        elif not isinstance(dataset, str) or not HUB_NAME.fullmatch(dataset) or (self.path.parent / dataset).exists():
            expected = f"one of {', '.join(BUILDERS)} with `dataset_kwargs.data_files`, or OWNER/NAME on the hub"
            raise self._make_error(f"`dataset_path` is {dataset!r}", expected)

    def _replace_names(self, names: Any) -> Any:
        if isinstance(names, Mapping):
            return {split: self._replace_names(inner) for split, inner in names.items()}
        if isinstance(names, list):
            return [self._replace_names(inner) for inner in names]
        return self._add_file(str(names))

    def _replace_modules(self, value: Any) -> Any:
        """Return the value with digests of code in place of the names of modules."""
        if isinstance(value, _Function):
            module, _, name = value.rpartition(".")
            return {FUNCTION: [self._add_file(f"{module.replace('.', '/')}.py"), name]}
        if isinstance(value, Mapping):
            return {str(key): self._replace_modules(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._replace_modules(inner) for inner in value]
        return value

    def _add_file(self, name: str) -> str:
        path = self.path.parent / name
        if not path.is_file():
            raise self._make_error(f"the file `{name}` does not exist", "a path relative to the task file")
        digest = self._digest(path)
        self.files[digest] = path
        return digest

    def _make_error(self, what: str, expected: str | None = None, hint: str | None = None) -> InvalidInput:
        return InvalidInput(Problem("invalid-task", what, str(self.path), expected, hint=hint))


class _Function(str):
    """Name `MODULE.NAME` after the tag `!function`."""


class _Loader(yaml.SafeLoader):
    """Loader of plain data and of names of functions. Imports nothing."""


def _construct_function(loader: _Loader, node: yaml.ScalarNode) -> _Function:
    return _Function(loader.construct_scalar(node))


_Loader.add_constructor(FUNCTION, _construct_function)


def _read(path: Path, including: tuple[Path, ...], read: list[Path]) -> dict[str, Any]:
    """Return the values of a file, merged over those of the files that it includes, as the harness merges them.

    `read` are the files read before: a few that include each other twice would else be read a billion times.
    """
    if path in including:
        raise InvalidInput(Problem("invalid-task", "the task file includes itself", str(path)))
    read.append(path)
    if len(read) > MOST_INCLUDES:
        raise InvalidInput(Problem("too-large", f"the task file includes more than {MOST_INCLUDES} files", str(path)))
    text = read_recipe_file(path)
    try:
        values = _load(text)
    except ShapeError as error:
        line, column = error.node.start_mark.line + 1, error.node.start_mark.column + 1
        raise syntax_error(error.code, error.what, path, line, column) from None
    except RecursionError:
        raise InvalidInput(Problem("invalid-yaml", TOO_DEEP, str(path))) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = f"the task file is not valid YAML: {error.problem or error.context}"
        raise syntax_error("invalid-yaml", what, path, line, column) from None
    except yaml.YAMLError as error:
        what = f"the task file is not valid YAML: {' '.join(str(error).split())}"
        raise InvalidInput(Problem("invalid-yaml", what[:300], str(path))) from None
    if not isinstance(values, dict):
        raise InvalidInput(Problem("invalid-task", "the task file is not a mapping", str(path)))
    included = values.pop("include", [])
    merged: dict[str, Any] = {}
    for name in included if isinstance(included, list) else [included]:
        merged.update(_read((path.parent / str(name)).resolve(), (*including, path), read))
    return {**merged, **values}


def _load(text: str) -> Any:
    node = yaml.compose(text, _Loader)
    if node is not None:
        check_shape(node)
    return yaml.load(text, _Loader)  # noqa: S506  (a subclass of SafeLoader)


def _find_code(value: Any, path: str) -> Iterator[str]:
    """Yield a message for each value in a task file that would run code."""
    if isinstance(value, _Function):
        yield f"`{path}` names a function, which would run code"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key in ("class", "unsafe_code", "hf_evaluate") and inner:
                yield f"`{key}` would run code"
            yield from _find_code(inner, f"{path}.{key}".removeprefix("."))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _find_code(inner, f"{path}[{index}]")
