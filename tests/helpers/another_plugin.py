"""A plugin of another package, for as long as a test needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from ftrun import hookimpl
from ftrun.plugins.manager import plugins


@contextmanager
def another_plugin(**hooks: Callable[..., Any]) -> Iterator[None]:
    """Hooks by name, as if a package called `theirs` was installed that has them."""
    module = ModuleType("theirs")
    for name, function in hooks.items():
        setattr(module, name, hookimpl(function))
    known = plugins()
    known.load(module, "theirs", "theirs 1.0")
    try:
        yield
    finally:
        known.manager.unregister(module)
        del known.loaded[module]
