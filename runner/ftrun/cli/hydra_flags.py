"""Hydra's own flags (`--cfg`, `--info`) and its multirun, by Hydra itself."""

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
from ftrun.recipe.compose import COMPOSITION_ERRORS, GROUPS, VERSION_BASE, search_path
from ftrun.recipe.hydra_errors import translate_error
from ftrun.recipe.overrides import prepare


def show(arguments: Sequence[str]) -> int:
    """Lets Hydra answer a command line with one of its flags; nothing runs."""
    _hydra_main(arguments, lambda config: None)
    return 0


def points(overrides: Sequence[str]) -> list[list[str]]:
    """The points of a sweep, each as the overrides of one run, as Hydra's sweeper expands them."""
    found: list[list[str]] = []

    file = prepare(overrides, GROUPS).recipe_file

    def note(config: Any) -> None:
        task = [override.removeprefix("++") for override in HydraConfig.get().overrides.task]
        found.append(
            [f"recipe={file}" if file and override == f"recipe={file.stem}" else override for override in task]
        )

    with tempfile.TemporaryDirectory(prefix="ftrun-sweep-") as folder:  # Hydra's sweeper insists on writing a file
        _hydra_main(["--multirun", *overrides, f"hydra.sweep.dir={folder}", "hydra.sweep.subdir=."], note)
    return found


def _hydra_main(arguments: Sequence[str], task: Callable[[Any], None]) -> None:
    values = [argument for argument in arguments if "=" in argument and not argument.startswith("-")]
    prepared = prepare(values, GROUPS)
    ready = dict(zip(values, prepared.hydra, strict=True))
    folders = plugins().config_folders()
    decorated = hydra.main(version_base=VERSION_BASE, config_path=str(folders[0].conf), config_name="config")(task)
    with (
        search_path(folders, prepared.recipe_file),
        _command_line([ready.get(argument, argument) for argument in arguments]),
    ):
        try:
            decorated()
        except COMPOSITION_ERRORS as error:
            raise translate_error(error, prepared, folders) from error


@contextmanager
def _command_line(arguments: list[str]) -> Iterator[None]:
    """Hydra reads `sys.argv`, and only with this variable leaves errors to its caller instead of ending the process."""
    before, flag = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = ["ftrun", *arguments]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = before
        if flag is None:
            del os.environ["HYDRA_FULL_ERROR"]
