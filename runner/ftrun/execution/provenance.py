"""Provenance of a run for its record: versions, git state, hardware and environments."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ftrun import __version__
from ftrun.api.backends import Backend
from ftrun.api.stage_call import Plan
from ftrun.utils.digests import digest, sha256_of

RECORDED_PACKAGES = ("hydra-core", "omegaconf", "pydantic", "pluggy")
OWN_PACKAGES = ("ftrun", "ftrun_plugins")


def collect_provenance(plan: Plan, backend: Backend) -> dict[str, Any]:
    return {
        "ftrun": __version__,
        "code": _digest_own_code(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: version(name) for name in RECORDED_PACKAGES},
        "packages": dict(sorted((each.name, each.version) for each in distributions())),
        "command": sys.argv[1:],
        "folder": str(Path.cwd()),
        "git": _read_git_state(),
        "hardware": {call.label: {"cores": call.work.cpu, "gpus": call.work.gpus} for call in plan.calls},
        "environments": {call.environment.name: call.environment.digest for call in plan.calls},
    }


def _digest_own_code() -> str:
    """Return a digest of ftrun's own code. Two states of a checkout with one version have different digests."""
    specs = {package: find_spec(package) for package in OWN_PACKAGES}
    roots = {package: Path(spec.origin).parent for package, spec in specs.items() if spec and spec.origin}
    files = {
        f"{package}/{file.relative_to(root)}": file for package, root in roots.items() for file in root.rglob("*.py")
    }
    return digest({name: sha256_of(file) for name, file in files.items()})


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
