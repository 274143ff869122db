"""Puts an axolotl configuration and its inputs into one folder, so that every path in it is relative.

axolotl hashes the paths that it is given: with absolute ones, prepared data is not found again in another place.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

CONFIG = "config.yml"
MODEL = "model"  # link to the base model's folder
DATA = "data"  # link to the tokenized folders
OUT = "out"
ADAPTER = "adapter"  # link to the trained adapter

# Keys that every configuration of ftrun has, whatever the recipe says.
ALWAYS = {"base_model": MODEL, "output_dir": OUT, "strict": False}


def lay_out(folder: Path, config: Mapping[str, Any], links: Mapping[str, Path]) -> Path:
    """Writes the configuration and the links into `folder`; returns the configuration's path."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in links.items():
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    path = folder / CONFIG
    path.write_text(yaml.safe_dump({**config, **ALWAYS}, sort_keys=True, allow_unicode=True), encoding="utf-8")
    return path


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Works in `folder`, with a command line that axolotl's own parsers can read, offline and without telemetry."""
    before, arguments = Path.cwd(), sys.argv
    os.chdir(folder)
    sys.argv = ["axolotl"]
    os.environ.update({"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"})
    try:
        yield
    finally:
        os.chdir(before)
        sys.argv = arguments
