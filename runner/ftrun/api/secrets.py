"""Names of the secrets that stages need, and the environment variables that can contain each of them.

A stage call contains only names. On this machine, the value of a secret comes from its variables in the environment of
the user. On Modal, it comes from the secret with this name in the workspace of the user.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["SECRETS", "variables_of"]

# Messages advise to set the first variable.
SECRETS: Mapping[str, tuple[str, ...]] = {
    "huggingface": ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_TOKEN"),
    "wandb": ("WANDB_API_KEY",),
    "comet": ("COMET_API_KEY",),
    "judge": ("JUDGE_API_KEY", "OPENAI_API_KEY"),
}


def variables_of(name: str) -> tuple[str, ...]:
    """Return the environment variables of a secret. The name of a secret of a plugin is the name of its variable."""
    return SECRETS.get(name, (name,))
