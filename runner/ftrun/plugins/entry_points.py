"""The plugins of installed packages: found by their entry points, left out where the user says so, and imported."""

from __future__ import annotations

import os
import re
from importlib import metadata
from importlib.metadata import EntryPoint
from types import ModuleType

from ftrun.api.errors import InvalidInput, Problem
from ftrun.utils.suggest import nearest

GROUP = "ftrun"
DISABLE = "FTRUN_DISABLE_PLUGINS"  # 1: no plugin of another package; else names of distributions, with commas between


def entry_points() -> list[EntryPoint]:
    """The entry points of all installed packages, sorted by name."""
    return sorted(metadata.entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value))


def enabled() -> list[EntryPoint]:
    """Those that the user does not leave out. Raises `InvalidInput` where a name to leave out is unknown."""
    wanted = [_plain(name) for name in os.environ.get(DISABLE, "").split(",") if name.strip()]
    found = entry_points()
    if not wanted:
        return found
    if wanted == ["1"]:
        return []
    known = {_plain(name_of(entry)): name_of(entry) for entry in found}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        expected = f"1 for all, or {', '.join(sorted(known.values())) or 'nothing: no other package is installed'}"
        what = f"no installed package with plugins is named `{unknown[0]}`"
        raise InvalidInput(
            Problem("unknown-name", what, f"the variable {DISABLE}", expected, nearest(unknown[0], known.values()))
        )
    return [entry for entry in found if _plain(name_of(entry)) not in wanted]


def load_entry_point(entry: EntryPoint) -> ModuleType:
    """The module of a plugin. Raises `InvalidInput`, with its distribution, whatever importing it raises."""
    where = f"the entry point `{entry.name} = {entry.value}` of {distribution(entry)}"
    try:
        module = entry.load()
    except (Exception, SystemExit) as error:  # whatever foreign code does while it is imported, it must be named
        reason = f"{type(error).__name__}: {short(error)}"
        what = f"the plugin `{entry.name}` of {distribution(entry)} cannot be imported: {reason}"
        raise InvalidInput(
            Problem("plugin-error", what, place(error, entry.module) or where, hint=remedy(name_of(entry)))
        ) from error
    if not isinstance(module, ModuleType):
        what = f"the plugin `{entry.name}` of {distribution(entry)} is no module but {type(module).__name__}"
        raise InvalidInput(
            Problem(
                "plugin-error", what, where, 'a module, as in `acme = "ftrun_acme.plugin"`', hint=remedy(name_of(entry))
            )
        )
    return module


def distribution(entry: EntryPoint) -> str:
    """Name and version of the package that has an entry point."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value


def name_of(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.name


def remedy(name: str) -> str:
    return f"mend, update or uninstall {name}; {DISABLE}={name} leaves it out"


def short(error: BaseException) -> str:
    """The first line of what an error says."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else "no message"


def place(error: BaseException, module: str) -> str | None:
    """The last line of a package's own code that an error came through, as `FILE:LINE`."""
    top, found = module.partition(".")[0], None
    traceback = error.__traceback__
    while traceback is not None:
        name = str(traceback.tb_frame.f_globals.get("__name__", ""))
        if name.partition(".")[0] == top:
            found = f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return found


def _plain(name: str) -> str:
    """As PyPI compares names."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
