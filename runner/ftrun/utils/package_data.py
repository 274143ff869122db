"""Location of the data files of ftrun: inside the installed package, or at the root of a checkout."""

from __future__ import annotations

from pathlib import Path


def find_data_folder(name: str) -> Path:
    """Return the folder `conf`, `recipes` or `data`: inside the installed package, else at the root of the checkout."""
    from importlib import resources  # slow to import, and shell completion does not need it

    installed = Path(str(resources.files("ftrun"))) / name
    return installed if installed.is_dir() else Path(__file__).parents[3] / name
