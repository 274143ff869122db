"""Writes the beginning of a third party's package: it can be installed, has a formatter, an option and their tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from ftrun.api.errors import InvalidInput, Problem
from ftrun.plugins.manager import load_all
from ftrun.utils.atomic_io import write_text

NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
LONGEST = 40  # characters of a name
SUFFIX = ".in"


def write_skeleton(name: str, folder: Path | None = None) -> Path:
    """Writes the package into a folder, by default `ftrun-NAME` in the current one, and returns it.

    Raises:
        InvalidInput: a name that cannot be one of a package and of a formatter, or is taken; a folder that is not empty.
    """
    short = _short_name(name)
    target = folder or Path(f"ftrun-{short.replace('_', '-')}")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InvalidInput(
            Problem(
                "file-exists", "there is something already", str(target), hint="name another folder behind the name"
            )
        )
    values = {
        "name": short,
        "distribution": f"ftrun-{short.replace('_', '-')}",
        "package": f"ftrun_{short}",
        "cls": "".join(word.capitalize() for word in short.split("_")) + "Formatter",
    }
    for path, text in _templates(files(__name__) / "files"):
        place = path.replace("package", values["package"]).replace("NAME", short)
        made = target / place.removesuffix(SUFFIX)
        made.parent.mkdir(parents=True, exist_ok=True)
        write_text(made, Template(text).substitute(values))
    return target


def _short_name(name: str) -> str:
    short = name.removeprefix("ftrun-").removeprefix("ftrun_").replace("-", "_")
    if not NAME.fullmatch(short) or len(short) > LONGEST:
        expected = f"small letters and digits, with - or _ between, at most {LONGEST}; e.g. acme"
        raise InvalidInput(Problem("invalid-value", f"{name[:60]!r} cannot be the name of a plugin", expected=expected))
    if taken := load_all()[0].of_kind("formatter").get(short):
        what = f"there is a formatter `{short}` already, of {taken.distribution}"
        raise InvalidInput(Problem("name-conflict", what, hint="name the plugin for its data or its maker"))
    return short


def _templates(folder: Traversable, path: str = "") -> Iterator[tuple[str, str]]:
    """The files of the skeleton with their places in it."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _templates(entry, f"{path}{entry.name}/")
        elif entry.name.endswith(SUFFIX):
            yield f"{path}{entry.name}", entry.read_text(encoding="utf-8")
