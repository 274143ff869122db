"""Entry points of plugins: list those of installed packages, skip those that the user disables, import them."""

from __future__ import annotations

import os
import re
from importlib import metadata
from importlib.metadata import EntryPoint
from types import ModuleType

from ftrun.api.errors import InvalidInput, Problem
from ftrun.utils.suggest import nearest
from ftrun.utils.text import first_line

GROUP = "ftrun"
# `1` disables all plugins of other packages; other values are names of distributions, separated by commas.
DISABLE = "FTRUN_DISABLE_PLUGINS"


def entry_points() -> list[EntryPoint]:
    """Return the entry points of all installed packages, sorted by name."""
    return sorted(metadata.entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value))


def enabled() -> list[EntryPoint]:
    """Return the entry points that the user has not disabled.

    Raises:
        InvalidInput: If a disabled name is unknown.
    """
    disabled = [_normalize(name) for name in os.environ.get(DISABLE, "").split(",") if name.strip()]
    entries = entry_points()
    if not disabled:
        return entries
    if disabled == ["1"]:
        return []
    known = {_normalize(name_of(entry)): name_of(entry) for entry in entries}
    unknown = [name for name in disabled if name not in known]
    if unknown:
        expected = f"1 for all, or {', '.join(sorted(known.values())) or 'nothing: no other package is installed'}"
        what = f"no installed package with plugins is named `{unknown[0]}`"
        raise InvalidInput(
            Problem("unknown-name", what, f"the variable {DISABLE}", expected, nearest(unknown[0], known.values()))
        )
    return [entry for entry in entries if _normalize(name_of(entry)) not in disabled]


def load_entry_point(entry: EntryPoint) -> ModuleType:
    """Import the module of a plugin.

    Raises:
        InvalidInput: If the import raises anything, or gives no module. The problem names the distribution.
    """
    entry_text = f"the entry point `{entry.name} = {entry.value}` of {distribution(entry)}"
    try:
        module = entry.load()
    except (Exception, SystemExit) as error:  # a plugin may raise anything when it is imported, and must be named
        reason = f"{type(error).__name__}: {first_line(error)}"
        what = f"the plugin `{entry.name}` of {distribution(entry)} cannot be imported: {reason}"
        raise InvalidInput(
            Problem("plugin-error", what, find_place(error, entry.module) or entry_text, hint=remedy(name_of(entry)))
        ) from error
    if not isinstance(module, ModuleType):
        what = f"the plugin `{entry.name}` of {distribution(entry)} is not a module but {type(module).__name__}"
        raise InvalidInput(
            Problem(
                "plugin-error",
                what,
                entry_text,
                'a module, as in `acme = "ftrun_acme.plugin"`',
                hint=remedy(name_of(entry)),
            )
        )
    return module


def distribution(entry: EntryPoint) -> str:
    """Return name and version of the package that has an entry point."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value


def name_of(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.name


def remedy(name: str) -> str:
    return f"fix, update or uninstall {name}, or disable it with {DISABLE}={name}"


def find_place(error: BaseException, module: str) -> str | None:
    """Return the last line of a package's code that an error came through, as `FILE:LINE`; None if there is none."""
    top, place = module.partition(".")[0], None
    traceback = error.__traceback__
    while traceback is not None:
        name = str(traceback.tb_frame.f_globals.get("__name__", ""))
        if name.partition(".")[0] == top:
            place = f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place


def _normalize(name: str) -> str:
    """Normalize a name as PyPI does."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
