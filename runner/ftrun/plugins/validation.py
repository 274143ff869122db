"""Validation of plugins: members of the classes that they register, and names and signatures of their hooks."""

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
# By kind, the members that ftrun uses long after a class is registered.
MEMBERS = {
    "source": ("Options", "externals", "rows"),
    "formatter": ("Options", "format"),
    "trainer": ("environment", "preview_module", "build_config", "adapter_layout", "rehearsal", "schema"),
    "stage": ("version", "environment", "plan", "run"),
    "evaluator": ("Options", "needs", "higher_is_better"),
    "backend": ("Options", "hardware", "environment_digest", "cached", "runner"),
    "setting": (),
}


def find_fault(kind: str, cls: Any) -> str | None:
    """Return why a class cannot be registered, as the end of a sentence about the class; None if it can."""
    if not isinstance(cls, type):
        return f"is {type(cls).__name__}, not a class"
    name = getattr(cls, "name", None)
    if not isinstance(name, str):
        return "has no `name`"
    if not NAME.fullmatch(name):
        return f"has the name {name[:60]!r}; a name has lower-case letters, digits and `_`, and begins with a letter"
    if kind == "setting" and not issubclass(cls, Settings):
        return "is not a subclass of ftrun.api.stages.Settings"
    members = MEMBERS[kind]
    if kind == "evaluator":
        members += ("compare" if getattr(cls, "needs", "") == "pairs" else "score",)
    missing = [f"`{member}`" for member in members if not hasattr(cls, member)]
    if missing:
        return f"has no {', '.join(missing)}"
    options = getattr(cls, "Options", None)
    if "Options" in members and not (isinstance(options, type) and issubclass(options, Options)):
        return "has `Options` that is not a subclass of ftrun.api.rows.Options"
    return None


def find_wrong_hooks(module: ModuleType, plugin: str, hint: str) -> Iterator[Problem]:
    """Yield a problem for each function that looks like a hook but would silently never be called, or would fail."""
    for name, function in vars(module).items():
        if not callable(function):
            continue
        marked = hasattr(function, "ftrun_impl")
        place = _find_place(function)
        if marked and name not in HOOKS:
            what = f"{plugin} implements `{name}`, but there is no such hook"
            yield Problem("plugin-error", what, place, did_you_mean=_suggest_hooks(name), hint=hint)
        elif name in HOOKS and not marked:
            what = f"{plugin} has the hook `{name}` without `@hookimpl`, so ftrun would never call it"
            yield Problem("plugin-error", what, place, "from ftrun import hookimpl", hint=hint)
        elif name in HOOKS:
            parameters, known = _list_parameters(function), _list_parameters(HOOKS[name])
            if unknown := [parameter for parameter in parameters if parameter not in known]:
                names = ", ".join(f"`{parameter}`" for parameter in unknown)
                what = f"{plugin} has a wrong hook: `{name}` takes {names}, which ftrun does not pass to it"
                yield Problem(
                    "plugin-error", what, place, f"{name}({', '.join(known)})", nearest(unknown[0], known), hint
                )
        elif inspect.isfunction(function) and (suggestions := _suggest_hooks(name)):
            yield Problem(
                "plugin-error",
                f"{plugin} has `{name}`, which looks like the name of a hook but is not one",
                place,
                did_you_mean=suggestions,
                hint=hint,
            )


def _suggest_hooks(name: str) -> tuple[str, ...]:
    """Return the hooks that a misspelt name may mean."""
    return nearest(name, HOOKS) if name.startswith("ftrun_") else ()


def _list_parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def _find_place(function: Any) -> str | None:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else None
