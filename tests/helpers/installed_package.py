"""Writes a package into a folder that can be put on a path, with its metadata, as if it were installed there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def write_package(
    folder: Path, name: str, modules: Mapping[str, str], *, entry: str, version: str = "1.0", value: str | None = None
) -> Path:
    """Makes `folder` one that can be put on `PYTHONPATH`.

    Args:
        folder: Gets the package and its metadata.
        name: Of the distribution; that of the package has `_` for `-`.
        modules: Texts of its modules.
        entry: The name of its entry point for ftrun.
        version: Of the distribution.
        value: What the entry point names; else its module `plugin`.
    """
    package = folder / name.replace("-", "_")
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text("")
    for module, text in modules.items():
        (package / f"{module}.py").write_text(text)
    metadata = folder / f"{package.name}-{version}.dist-info"
    metadata.mkdir(exist_ok=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (metadata / "entry_points.txt").write_text(f"[ftrun]\n{entry} = {value or f'{package.name}.plugin'}\n")
    return folder
