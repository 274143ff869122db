"""Puts an axolotl configuration and its inputs into one folder, so that every path in it is relative.

axolotl hashes the paths that it is given: with absolute ones, prepared data is not found again in another place.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from ftrun.api.process_env import OFFLINE

CONFIG = "config.yml"
MODEL = "model"  # mirror of the base model's folder
DATA = "data"  # mirror of the tokenized folders
OUT = "out"
PREPARED = "prepared"  # the trainer's own copy of the tokenized rows
ADAPTER = "adapter"  # mirror of the trained adapter

# Keys that every configuration of ftrun has, whatever the recipe says.
ALWAYS = {"base_model": MODEL, "output_dir": OUT, "strict": False}
# axolotl asks for these before it loads a configuration, also where nothing is trained and none has an influence.
NO_TRAINING = {
    "micro_batch_size": 1,
    "gradient_accumulation_steps": 1,
    "num_epochs": 1,
    "learning_rate": 0.0,
    "bf16": False,
    "fp16": False,
    "tf32": False,
}


def write_workspace(folder: Path, config: Mapping[str, Any], links: Mapping[str, Path]) -> Path:
    """Writes the configuration into `folder`, with a mirror of each input; returns the configuration's path."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in links.items():
        mirror(target, folder / name)
    path = folder / CONFIG
    path.write_text(yaml.safe_dump({**config, **ALWAYS}, sort_keys=True, allow_unicode=True), encoding="utf-8")
    return path


def mirror(source: Path, target: Path) -> None:
    """Makes a folder of links to the files of an artifact: what libraries write beside them stays out of the store."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for path in sorted(source.rglob("*")):
        inner = target / path.relative_to(source)
        if path.is_dir():
            inner.mkdir()
        else:
            inner.symlink_to(path)


@contextmanager
def chdir_offline(folder: Path) -> Iterator[None]:
    """Works in `folder`, with a command line that axolotl's own parsers can read, offline and without telemetry."""
    before, arguments = Path.cwd(), sys.argv
    os.chdir(folder)
    sys.argv = ["axolotl"]
    os.environ.update(OFFLINE)
    try:
        yield
    finally:
        os.chdir(before)
        sys.argv = arguments
