"""Finds the files that ftrun ships: beside the package in a wheel, at the root of a checkout."""

from __future__ import annotations

from pathlib import Path


def shipped(name: str) -> Path:
    """The folder `conf`, `recipes` or `data`: inside the installed package, else at the root of the checkout."""
    from importlib import resources  # slow to import, and shell completion asks for no shipped file

    packaged = Path(str(resources.files("ftrun"))) / name
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / name
