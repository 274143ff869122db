"""Download of the tokenizer of a model of the hub, without weights. Runs in the trainer's environment.

python -I env_launcher.py ftrun_plugins.models.tokenizer_files REPOSITORY COMMIT FOLDER
"""

from __future__ import annotations

import sys

from ftrun_plugins.models.hub import NEEDED, get_token

WEIGHTS = ("*.safetensors", "*.safetensors.index.json", "*.bin")


def main() -> None:
    """Download the files at a commit into a folder."""
    from huggingface_hub import snapshot_download

    repository, commit, folder = sys.argv[1:]
    patterns = [pattern for pattern in NEEDED if pattern not in WEIGHTS]
    snapshot_download(
        repository,
        revision=commit,
        local_dir=folder,
        allow_patterns=patterns,
        ignore_patterns=[*WEIGHTS, "*/*"],
        token=get_token(),
    )
