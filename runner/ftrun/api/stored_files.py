"""Reading of the files of a store, whose content is not trusted: a file may be cut, edited, or of a newer version.

Every model of a stored file is a `StoredModel`: it has a schema version and keeps the keys that it does not know.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from ftrun.api.errors import InvalidInput, Problem

__all__ = [
    "SCHEMA_VERSION",
    "Finite",
    "ProcessFile",
    "StoredModel",
    "Timestamp",
    "parse_stored",
    "read_process",
    "read_stored",
    "validate_stored",
]

SCHEMA_VERSION = 1  # raise it if an older version of ftrun would misread the new files; new keys alone do not need it
LARGEST_FILE = 256_000_000  # bytes; ftrun writes no record, plan or manifest that is larger
END_OF_TIME = 253_402_300_799  # 31 December 9999 in seconds since 1970, the last date that Python can show

Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e18, le=1e18)]
Timestamp = Annotated[float, Field(allow_inf_nan=False, ge=0, le=END_OF_TIME)]
T = TypeVar("T")


class StoredModel(BaseModel):
    """Base class of the models of stored files. A file that is written again keeps the keys of other versions."""

    model_config = ConfigDict(extra="allow")
    schema_version: int = SCHEMA_VERSION


@with_config(ConfigDict(extra="allow"))
class ProcessFile(TypedDict, total=False):
    """Content of the files that identify a process: its id, and the run of a stage process."""

    pid: Annotated[int, Field(gt=1)]
    run: str | None


def read_stored(path: Path, model: type[T], what: str, hint: str | None = None, *, known_only: bool = False) -> T:
    """Read a stored JSON file.

    Args:
        path: The file.
        model: The type of its content.
        what: The file in a message, such as "the record of the run `abc`".
        hint: The next step for the user if the file cannot be read.
        known_only: Drop keys that the model does not know, of a model that refuses them.

    Raises:
        InvalidInput: If the file is missing, cut, empty, of another shape, or of a newer version.
    """
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= LARGEST_FILE and path.is_file() else None
    except FileNotFoundError:
        raise _damaged(what, "the file is missing", path, hint) from None
    except (OSError, ValueError) as error:
        raise _damaged(what, getattr(error, "strerror", None) or str(error), path, hint) from None
    if content is None:
        raise _damaged(what, f"it is no file of at most {LARGEST_FILE:,} bytes", path, hint)
    return parse_stored(content, model, what, str(path), hint, known_only=known_only)


def parse_stored(
    content: bytes, model: type[T], what: str, at: str, hint: str | None = None, *, known_only: bool = False
) -> T:
    """Parse the content of a stored JSON file. See `read_stored`.

    Raises:
        InvalidInput: If the content is cut, empty, of another shape, or of a newer version.
    """
    if not content.strip():
        raise _damaged(what, "the file is empty", at, hint)
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _damaged(what, f"the file is cut or no JSON: {error}", at, hint) from None
    return validate_stored(values, model, what, at, hint, known_only=known_only)


def validate_stored(
    values: Any, model: type[T], what: str, at: object, hint: str | None = None, *, known_only: bool = False
) -> T:
    """Return the parsed values of a stored file as an object of a type.

    Raises:
        InvalidInput: If the values have another shape, or are of a newer version.
    """
    version = values.get("schema_version", SCHEMA_VERSION) if isinstance(values, Mapping) else SCHEMA_VERSION
    if isinstance(version, int) and version > SCHEMA_VERSION:
        problem = Problem(
            "newer-record",
            f"{what} was written by a newer version of ftrun: its schema version is {version}",
            at=str(at),
            expected=f"at most {SCHEMA_VERSION}",
            hint="update ftrun",
        )
        raise InvalidInput(problem)
    try:
        return TypeAdapter(model).validate_python(values, extra="ignore" if known_only else None)
    except (ValidationError, RecursionError) as error:
        raise _damaged(what, _describe(error), at, hint) from None


def read_process(path: Path) -> ProcessFile | None:
    """Return the content of a file that identifies a process. None if it is missing or damaged, like its process."""
    try:
        return read_stored(path, ProcessFile, "the process")
    except InvalidInput:
        return None


def _describe(error: ValidationError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "its values are nested too deeply"
    detail = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(map(str, detail["loc"]))
    message = detail["msg"][:1].lower() + detail["msg"][1:]
    return f"the value of `{place}` is wrong: {message}" if place else message


def _damaged(what: str, reason: str, at: object, hint: str | None) -> InvalidInput:
    return InvalidInput(Problem("damaged-record", f"{what} cannot be read: {reason}", at=str(at), hint=hint))
