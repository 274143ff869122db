"""Secrets of the workspace, by ftrun's names."""

from __future__ import annotations

from ftrun.api.secrets import variables_of
from ftrun_plugins.modal.options import Options


def has_secret(name: str, options: Options) -> bool:
    """Return whether the workspace has this secret with one of the variables that may hold its value."""
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
