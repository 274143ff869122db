"""Working folder of axolotl: its configuration and links to its inputs, so that all paths are relative.

axolotl hashes the paths in its configuration. With absolute paths it would not find prepared data in another folder.
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
from ftrun.utils.atomic_io import write_json

CONFIG = "config.yml"
DEEPSPEED = "deepspeed.json"  # axolotl 0.21 needs it as a file if `tensor_parallel_size` or `deepcompile` is set
MODEL = "model"  # links to the base model's files
DATA = "data"  # links to the tokenized rows
OUT = "out"
PREPARED = "prepared"  # the trainer's own copy of the tokenized rows
ADAPTER = "adapter"  # links to the trained adapter's files

# Keys that ftrun sets in every configuration.
ALWAYS = {"base_model": MODEL, "output_dir": OUT, "strict": False}
# axolotl requires these keys in every configuration. They have no effect if nothing is trained.
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
    """Write the configuration and links to each input into `folder`. Return the path of the configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in links.items():
        link_tree(target, folder / name)
    path, values = folder / CONFIG, {**config, **ALWAYS}
    if isinstance(values.get("deepspeed"), Mapping):
        write_json(folder / DEEPSPEED, values["deepspeed"])
        values["deepspeed"] = DEEPSPEED
    path.write_text(yaml.safe_dump(values, sort_keys=True, allow_unicode=True), encoding="utf-8")
    return path


def link_tree(source: Path, target: Path) -> None:
    """Create a folder with links to the files of an artifact. Files that libraries add stay out of the store."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for path in sorted(source.rglob("*")):
        link = target / path.relative_to(source)
        if path.is_dir():
            link.mkdir()
        else:
            link.symlink_to(path)


@contextmanager
def chdir_offline(folder: Path) -> Iterator[None]:
    """Work in `folder`, offline, without telemetry, and with a command line that axolotl's parsers accept."""
    old_folder, old_arguments = Path.cwd(), sys.argv
    os.chdir(folder)
    sys.argv = ["axolotl"]
    os.environ.update(OFFLINE)
    try:
        yield
    finally:
        os.chdir(old_folder)
        sys.argv = old_arguments
