"""Delegation of Hydra's flags (`--cfg`, `--info`) and of multirun to Hydra."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig

from ftrun.plugins.manager import plugins
from ftrun.recipe.compose import COMPOSITION_ERRORS, VERSION_BASE, search_path
from ftrun.recipe.hydra_errors import translate_error
from ftrun.recipe.layers import GROUPS
from ftrun.recipe.overrides import prepare


def show(arguments: Sequence[str]) -> int:
    """Let Hydra handle a command line that has one of its flags; no recipe is run."""
    _run_hydra(arguments, lambda config: None)
    return 0


def expand_sweep(overrides: Sequence[str]) -> list[list[str]]:
    """Return the points of a sweep as Hydra's sweeper expands them, each as the overrides of one run."""
    points: list[list[str]] = []
    file = prepare(overrides, GROUPS).recipe_file

    def record_point(config: Any) -> None:
        task = [override.removeprefix("++") for override in HydraConfig.get().overrides.task]
        points.append(
            [f"recipe={file}" if file and override == f"recipe={file.stem}" else override for override in task]
        )

    with tempfile.TemporaryDirectory(prefix="ftrun-sweep-") as folder:  # Hydra's sweeper always writes a file
        _run_hydra(["--multirun", *overrides, f"hydra.sweep.dir={folder}", "hydra.sweep.subdir=."], record_point)
    return points


def _run_hydra(arguments: Sequence[str], task: Callable[[Any], None]) -> None:
    values = [argument for argument in arguments if "=" in argument and not argument.startswith("-")]
    overrides = prepare(values, GROUPS)
    for_hydra = dict(zip(values, overrides.hydra, strict=True))
    folders = plugins().config_folders()
    run_hydra = hydra.main(version_base=VERSION_BASE, config_path=str(folders[0].conf), config_name="config")(task)
    with (
        search_path(folders, overrides.recipe_file),
        _set_command_line([for_hydra.get(argument, argument) for argument in arguments]),
    ):
        try:
            run_hydra()
        except COMPOSITION_ERRORS as error:
            raise translate_error(error, overrides, folders) from error


@contextmanager
def _set_command_line(arguments: list[str]) -> Iterator[None]:
    """Set `sys.argv`, which Hydra reads, and HYDRA_FULL_ERROR, with which Hydra raises errors instead of exiting."""
    old_argv, old_flag = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = ["ftrun", *arguments]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = old_argv
        if old_flag is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = old_flag
