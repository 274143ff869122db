"""Identify the packages of an environment."""

from __future__ import annotations

from typing import Any

from ftrun.api.recipe import Environment
from ftrun.utils.digests import digest, sha256_of


def environment_digest(declared: Environment, installed: list[Any] | None = None) -> str:
    """Identifies what is in an environment, wherever it is made real: Python, packages and variables.

    Args:
        declared: The environment; its lock is read unless it names an interpreter.
        installed: The packages of the interpreter that it names.
    """
    if installed is None:
        assert declared.lock is not None
        installed = [declared.python, sha256_of(declared.lock)]
    return digest([installed, declared.variables])[:32]
