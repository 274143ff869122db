"""Scaffold of a plugin package, which is installable and has a formatter, a config option and their tests."""

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
LONGEST = 40  # characters in a name
SUFFIX = ".in"  # of a template file


def write_skeleton(name: str, folder: Path | None = None) -> Path:
    """Write the package into a folder, by default `ftrun-NAME` in the current folder, and return the folder.

    Raises:
        InvalidInput: If the name is invalid for a package or a formatter, or taken; or if the folder is not empty.
    """
    short_name = _parse_name(name)
    target = folder or Path(f"ftrun-{short_name.replace('_', '-')}")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InvalidInput(
            Problem(
                "file-exists",
                "the target already exists and is not an empty folder",
                str(target),
                hint="pass another folder after the name",
            )
        )
    values = {
        "name": short_name,
        "distribution": f"ftrun-{short_name.replace('_', '-')}",
        "package": f"ftrun_{short_name}",
        "cls": "".join(word.capitalize() for word in short_name.split("_")) + "Formatter",
    }
    for path, text in _load_templates(files(__name__) / "files"):
        relative = path.replace("package", values["package"]).replace("NAME", short_name)
        file = target / relative.removesuffix(SUFFIX)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, Template(text).substitute(values))
    return target


def _parse_name(name: str) -> str:
    short_name = name.removeprefix("ftrun-").removeprefix("ftrun_").replace("-", "_")
    if not NAME.fullmatch(short_name) or len(short_name) > LONGEST:
        expected = f"lower-case letters and digits, separated by - or _, at most {LONGEST} characters; e.g. acme"
        raise InvalidInput(Problem("invalid-value", f"{name[:60]!r} cannot be the name of a plugin", expected=expected))
    if existing := load_all()[0].of_kind("formatter").get(short_name):
        what = f"the formatter `{short_name}` already exists in {existing.distribution}"
        raise InvalidInput(Problem("name-conflict", what, hint="name the plugin after its data or its author"))
    return short_name


def _load_templates(folder: Traversable, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the relative path and the text of each template."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _load_templates(entry, f"{path}{entry.name}/")
        elif entry.name.endswith(SUFFIX):
            yield f"{path}{entry.name}", entry.read_text(encoding="utf-8")
