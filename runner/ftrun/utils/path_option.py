"""Type of options and arguments of commands that are paths."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click


class PathOption(click.Path):
    """Path in which `~` is the home of the user. Shells expand it in `--to ~/x`, but most do not in `--to=~/x`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(path_type=Path, **options)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(os.path.expanduser(value), param, ctx)  # noqa: PTH111  an unknown user stays as it is
