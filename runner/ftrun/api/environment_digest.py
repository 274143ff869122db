"""Digest of the packages of an environment."""

from __future__ import annotations

from typing import Any

from ftrun.api.locks import requirements
from ftrun.api.recipe import Environment
from ftrun.utils.digests import digest

__all__ = ["environment_digest"]


def environment_digest(declared: Environment, installed: list[Any] | None = None) -> str:
    """Return a digest of the Python version, packages and variables of an environment. It is the same on all machines.

    Args:
        declared: The environment. Its lock file is read if `installed` is None.
        installed: The packages of the interpreter, if the environment names one.
    """
    if installed is None:
        assert declared.lock is not None
        installed = [declared.python, requirements(declared.lock.read_text(encoding="utf-8"))]
    return digest([installed, declared.variables])[:32]
