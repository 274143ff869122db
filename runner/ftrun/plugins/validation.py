"""What a class must have to be registered, and which functions of a plugin's module are hooks."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from ftrun.api import hookspecs
from ftrun.api.errors import Problem
from ftrun.api.rows import Options
from ftrun.api.stages import Settings
from ftrun.utils.suggest import nearest

NAME = re.compile(r"[a-z][a-z0-9_]*")
HOOKS = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("ftrun_")}
# By kind, what is looked up on a class long after it was registered.
MEMBERS = {
    "source": ("Options", "externals", "rows"),
    "formatter": ("Options", "format"),
    "stage": ("version", "environment", "plan", "run"),
    "evaluator": ("Options", "needs", "higher_is_better"),
    "backend": ("Options", "hardware", "environment_digest", "environment_ready", "cached", "runner"),
    "setting": (),
}


def find_fault(kind: str, cls: Any) -> str | None:
    """Why a class cannot be registered, as the end of a sentence about it; None where it can."""
    if not isinstance(cls, type):
        return f"is {type(cls).__name__}, not a class"
    name = getattr(cls, "name", None)
    if not isinstance(name, str):
        return "has no `name`"
    if not NAME.fullmatch(name):
        return f"has the name {name[:60]!r}: small letters, digits and `_`, a letter first"
    if kind == "setting" and not issubclass(cls, Settings):
        return "is no subclass of ftrun.api.stages.Settings"
    members = MEMBERS[kind]
    if kind == "evaluator":
        members += ("compare" if getattr(cls, "needs", "") == "pairs" else "score",)
    missing = [f"`{member}`" for member in members if not hasattr(cls, member)]
    if missing:
        return f"has no {', '.join(missing)}"
    options = getattr(cls, "Options", None)
    if "Options" in members and not (isinstance(options, type) and issubclass(options, Options)):
        return "has `Options` that are no subclass of ftrun.api.rows.Options"
    return None


def find_wrong_hooks(module: ModuleType, plugin: str, do: str) -> Iterator[Problem]:
    """Functions that would silently never be called, or not as they are written."""
    for name, function in vars(module).items():
        if not callable(function):
            continue
        marked = hasattr(function, "ftrun_impl")
        where = _where(function)
        if marked and name not in HOOKS:
            what = f"{plugin} has `{name}`, and there is no such hook"
            yield Problem("plugin-error", what, where, did_you_mean=_near(name), hint=do)
        elif name in HOOKS and not marked:
            what = f"{plugin} has `{name}` without `@hookimpl` above it, so that nothing would call it"
            yield Problem("plugin-error", what, where, "from ftrun import hookimpl", hint=do)
        elif name in HOOKS:
            taken, given = _parameters(function), _parameters(HOOKS[name])
            if unknown := [parameter for parameter in taken if parameter not in given]:
                listed = ", ".join(f"`{parameter}`" for parameter in unknown)
                what = f"{plugin} has a wrong hook: `{name}` asks for {listed}, which it does not get"
                yield Problem(
                    "plugin-error", what, where, f"{name}({', '.join(given)})", nearest(unknown[0], given), do
                )
        elif inspect.isfunction(function) and (near := _near(name)):
            yield Problem(
                "plugin-error",
                f"{plugin} has `{name}`, which is close to a hook but none",
                where,
                did_you_mean=near,
                hint=do,
            )


def _near(name: str) -> tuple[str, ...]:
    """The hooks that a name may have meant."""
    return nearest(name, HOOKS) if name.startswith("ftrun_") else ()


def _parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def _where(function: Any) -> str | None:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else None
