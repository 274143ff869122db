"""The workspace's secrets, by ftrun's names of them."""

from __future__ import annotations

from ftrun.api.secrets import variables_of
from ftrun_plugins.modal.options import Options


def has_secret(name: str, options: Options) -> bool:
    """Whether the workspace has a secret of this name with one of the variables that may hold it."""
    import modal

    for variable in variables_of(name):
        try:
            modal.Secret.from_name(
                options.secret(name), environment_name=options.environment, required_keys=[variable]
            ).hydrate()
        except modal.exception.NotFoundError:
            continue
        return True
    return False
