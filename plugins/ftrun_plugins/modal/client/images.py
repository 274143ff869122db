"""Modal Images of declared environments: base image, Python version, locked packages, and ftrun as source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.locks import install_options
from ftrun.api.process_env import DEFAULTS
from ftrun.api.recipe import Environment
from ftrun.plugins.manager import SHIPPED
from ftrun_plugins.modal.client import source_bundle
from ftrun_plugins.modal.container.container_volume import VARIABLE
from ftrun_plugins.modal.options import MOUNT

UV = "0.13.9"  # version that installs the locks
NO_DEPENDENCIES = "--no-deps"  # Modal's client adds --compile-bytecode, and uv refuses a repeated option


def check_environment(name: str, declared: Environment) -> None:
    """Check that an image can be built for an environment.

    Raises:
        InvalidInput: If the environment is an interpreter of this machine.
    """
    if declared.lock is None or (declared.image.python is None and not _is_version(declared.python)):
        raise InvalidInput(
            Problem(
                "invalid-value",
                f"the environment `{name}` is an interpreter of this machine, which cannot be used on Modal",
                at=f"environment.{name}",
                expected="a Python version and a lock",
                hint=f"environment.{name}.python=3.12 environment.{name}.lock=FILE, or environment.{name}.image.python",
            )
        )


def _is_version(python: str) -> bool:
    return python.replace(".", "").isdigit()


def make_image(name: str, declared: Environment, packages: Sequence[str], requirements: Sequence[str]) -> Any:
    """Return the Image of an environment.

    Args:
        name: Name of the environment.
        declared: Its Python version, lock, base image, system packages and variables.
        packages: Importable packages that are added as source: ftrun and the plugins.
        requirements: Pinned requirements of the plugins.
    """
    import modal

    check_environment(name, declared)
    python = declared.image.python or declared.python
    base = declared.image.base
    image = modal.Image.from_registry(base, add_python=python) if base else modal.Image.debian_slim(python)
    if declared.image.system_packages:
        image = image.apt_install(*declared.image.system_packages)
    assert declared.lock is not None
    options = " ".join([NO_DEPENDENCIES, *install_options(declared.lock)])
    image = image.uv_pip_install(requirements=[str(declared.lock)], extra_options=options, uv_version=UV)
    if requirements:
        image = image.uv_pip_install(*requirements, uv_version=UV)
    ignore = ~modal.FilePatternMatcher(*source_bundle.PATTERNS)
    return image.env(_variables(name, declared)).add_local_python_source(*packages, ignore=ignore)


def _variables(name: str, declared: Environment) -> dict[str, str]:
    """Return the variables that disable telemetry, those that the environment declares, and those for paths."""
    return {
        **DEFAULTS,
        **declared.variables,
        VARIABLE: MOUNT,
        "FTRUN_ENVIRONMENT": name,
        SHIPPED: ",".join(source_bundle.modules()),
        "FTRUN_VARIABLES": ",".join(sorted(declared.variables)),
        "HF_HOME": "/tmp/huggingface",  # noqa: S108  (a folder of the container only; models are artifacts on the Volume)
    }
