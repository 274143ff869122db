"""Provenance of a run for its record: versions, git state, hardware and environments."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ftrun import __version__
from ftrun.api.backends import Backend
from ftrun.api.stage_call import Plan

RECORDED_PACKAGES = ("hydra-core", "omegaconf", "pydantic", "pluggy")


def collect_provenance(plan: Plan, backend: Backend) -> dict[str, Any]:
    return {
        "ftrun": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: version(name) for name in RECORDED_PACKAGES},
        "command": sys.argv[1:],
        "folder": str(Path.cwd()),
        "git": _read_git_state(),
        "hardware": {call.label: {"cores": call.work.cpu, "gpus": call.work.gpus} for call in plan.calls},
        "environments": {call.environment.name: call.environment.digest for call in plan.calls},
    }


def _read_git_state() -> dict[str, Any] | None:
    """Return the commit of the current folder and whether it has changes, or None outside a repository."""
    commit = _run(["git", "rev-parse", "HEAD"])
    return {"commit": commit, "changed": bool(_run(["git", "status", "--porcelain"]))} if commit else None


def _run(command: list[str]) -> str | None:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False, env=environment)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() if result.returncode == 0 else None
