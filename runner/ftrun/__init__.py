"""From one YAML recipe to an evaluated, servable fine-tuned language model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ftrun.api.hookspecs import hookimpl

__version__ = "0.1.0"
__all__ = ["__version__", "hookimpl"]


def __getattr__(name: str) -> Any:
    # pluggy is only in the client environment, and stages in other environments import this package too
    if name == "hookimpl":
        from ftrun.api.hookspecs import hookimpl

        return hookimpl
    raise AttributeError(f"module 'ftrun' has no attribute {name!r}")
