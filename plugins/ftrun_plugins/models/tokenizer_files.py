"""Downloads what a tokenizer needs of a model of the hub, and no weights. Runs in the trainer's environment.

python -I bootstrap.py ftrun_plugins.models.tokenizer_files REPOSITORY COMMIT FOLDER
"""

from __future__ import annotations

import sys

from ftrun_plugins.models.hub import NEEDED, token_here

WEIGHTS = ("*.safetensors", "*.safetensors.index.json", "*.bin")


def main() -> None:
    from huggingface_hub import snapshot_download

    repository, commit, folder = sys.argv[1:]
    patterns = [pattern for pattern in NEEDED if pattern not in WEIGHTS]
    snapshot_download(
        repository,
        revision=commit,
        local_dir=folder,
        allow_patterns=patterns,
        ignore_patterns=[*WEIGHTS, "*/*"],
        token=token_here(),
    )
