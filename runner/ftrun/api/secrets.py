"""Secrets by name: what stages ask for, and the environment variables that may hold each.

A stage call carries names only. On this machine a name stands for its variables in the user's environment, on Modal for
a secret of that name in the user's workspace.
"""

from __future__ import annotations

from collections.abc import Mapping

# The first variable is the one that messages tell to set.
SECRETS: Mapping[str, tuple[str, ...]] = {
    "huggingface": ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_TOKEN"),
    "wandb": ("WANDB_API_KEY",),
    "comet": ("COMET_API_KEY",),
    "judge": ("JUDGE_API_KEY", "OPENAI_API_KEY"),
}


def variables_of(name: str) -> tuple[str, ...]:
    """The variables that a secret may be in; a plugin's own secret is named like its variable."""
    return SECRETS.get(name, (name,))
