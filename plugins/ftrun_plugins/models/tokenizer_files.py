"""Download of the tokenizer of a model of the hub, without weights. Runs in the trainer's environment.

python -I env_launcher.py ftrun_plugins.models.tokenizer_files REPOSITORY COMMIT FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from ftrun_plugins.models.hub_download import NEEDED, download_files

WEIGHTS = ("*.safetensors", "*.safetensors.index.json", "*.bin")


def main() -> None:
    """Download the files at a commit into a folder."""
    repository, commit, folder = sys.argv[1:]
    patterns = [pattern for pattern in NEEDED if pattern not in WEIGHTS]
    download_files(repository, commit, "model", Path(folder), patterns, ignore=[*WEIGHTS, "*/*"])
