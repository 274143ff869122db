"""Declared environments as Modal Images: base and Python by version, the lock as it stands, ftrun as source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.recipe import Environment
from ftrun.execution.process_env import DEFAULTS
from ftrun.plugins.manager import SHIPPED
from ftrun_plugins.modal.client import source_bundle
from ftrun_plugins.modal.container.container_volume import VARIABLE
from ftrun_plugins.modal.options import MOUNT

UV = "0.13.9"  # the version that locks are installed with
INSTALL = "--no-deps"  # the client adds --compile-bytecode, and uv refuses it twice


def check_environment(name: str, declared: Environment) -> None:
    """Raises `InvalidInput` for an environment that only this machine has."""
    if declared.lock is None or (declared.image.python is None and not _is_version(declared.python)):
        raise InvalidInput(
            Problem(
                "invalid-value",
                f"the environment `{name}` is an interpreter of this machine, and cannot go to Modal",
                at=f"environment.{name}",
                expected="a version of Python and a lock",
                hint=f"environment.{name}.python=3.12 environment.{name}.lock=FILE, or environment.{name}.image.python",
            )
        )


def _is_version(python: str) -> bool:
    return python.replace(".", "").isdigit()


def make_image(name: str, declared: Environment, packages: Sequence[str], requirements: Sequence[str]) -> Any:
    """The Image of an environment.

    Args:
        name: The environment's name.
        declared: What it consists of.
        packages: Importable packages that travel as source: ftrun and the plugins.
        requirements: What the plugins need, as pinned requirements.
    """
    import modal

    check_environment(name, declared)
    python = declared.image.python or declared.python
    base = declared.image.base
    image = modal.Image.from_registry(base, add_python=python) if base else modal.Image.debian_slim(python)
    if declared.image.system_packages:
        image = image.apt_install(*declared.image.system_packages)
    image = image.uv_pip_install(requirements=[str(declared.lock)], extra_options=INSTALL, uv_version=UV)
    if requirements:
        image = image.uv_pip_install(*requirements, uv_version=UV)
    return image.env(_variables(name, declared)).add_local_python_source(*packages)


def _variables(name: str, declared: Environment) -> dict[str, str]:
    """Telemetry off, the environment's own variables, and where things are."""
    own = {**DEFAULTS, **declared.variables}
    return {
        **own,
        VARIABLE: MOUNT,
        "FTRUN_ENVIRONMENT": name,
        SHIPPED: ",".join(source_bundle.modules()),
        "FTRUN_VARIABLES": ",".join(sorted(declared.variables)),
        "HF_HOME": "/tmp/huggingface",  # noqa: S108  (the container's own; models lie on the Volume as artifacts)
    }
