"""Names of the secrets that stages need, and the environment variables that can contain each of them.

A stage call contains only names. On this machine, the value of a secret comes from its variables in the environment of
the user, or from the login of the hub. On Modal, it comes from the secret with this name in the workspace of the user.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from ftrun.api.errors import InvalidInput, Problem

__all__ = [
    "HUB",
    "SECRETS",
    "as_token",
    "known_values",
    "read_secret",
    "redirecting_variable",
    "register_secrets",
    "variables_of",
]

HUB = "huggingface"

# Messages advise to set the first variable.
SECRETS: Mapping[str, tuple[str, ...]] = {
    HUB: ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_TOKEN"),
    "wandb": ("WANDB_API_KEY",),
    "comet": ("COMET_API_KEY",),
    "swanlab": ("SWANLAB_API_KEY",),
    "judge": ("JUDGE_API_KEY", "OPENAI_API_KEY"),
}


# Variables that name the host that gets a secret.
HOSTS: Mapping[str, tuple[str, ...]] = {
    HUB: ("HF_ENDPOINT", "HF_INFERENCE_ENDPOINT"),
    "wandb": ("WANDB_BASE_URL",),
    "comet": ("COMET_URL_OVERRIDE",),
    "judge": ("OPENAI_BASE_URL",),
}


MIN_LENGTH = 8  # characters: a shorter value may be an ordinary word
_registered: set[str] = set()  # names of secrets of plugins that this process uses
_logins: set[str] = set()  # tokens of `hf auth login` that this process has read


def register_secrets(names: Iterable[str]) -> None:
    """Declare that this process uses secrets, so that `known_values` has theirs too."""
    _registered.update(names)


def known_values() -> set[str]:
    """Return the values of the secrets that this process holds. No file and no message may have them."""
    variables = {variable for name in (*SECRETS, *_registered) for variable in variables_of(name)}
    values = {os.environ.get(variable, "") for variable in variables} | _logins
    return {value for value in values if len(value) >= MIN_LENGTH}


def redirecting_variable(name: str, variables: Mapping[str, str]) -> str | None:
    """Return the variable that would send a secret to another host than the environment of the user names, or None.

    Args:
        name: Name of the secret.
        variables: Variables that an environment of the recipe declares.
    """
    return next(
        (host for host in HOSTS.get(name, ()) if host in variables and variables[host] != os.environ.get(host)), None
    )


def variables_of(name: str) -> tuple[str, ...]:
    """Return the environment variables of a secret. The name of a secret of a plugin is the name of its variable."""
    return SECRETS.get(name, (name,))


def read_secret(name: str) -> dict[str, str]:
    """Return the environment variables of a secret with their values on this machine; empty if the secret is not set.

    Raises:
        InvalidInput: If the token of `hf auth login` exists but cannot be read.
    """
    register_secrets([name])
    values = {variable: value for variable in variables_of(name) if (value := os.environ.get(variable))}
    if not values and name == HUB and (token := _read_login()):
        values[variables_of(HUB)[0]] = token
        _logins.add(token)
    return values


def as_token(variable: str, value: str) -> str:
    """Return the value of a variable without surrounding spaces, for the header of a request.

    Raises:
        InvalidInput: If it has characters that no token has. The error of an HTTP library would show the token.
    """
    token = value.strip()
    if not (token.isascii() and token.isprintable()):
        what = f"`{variable}` contains characters that no key has"
        raise InvalidInput(Problem("invalid-secret", what, hint=f"set {variable} again"))
    return token


def _read_login() -> str | None:
    """Return the token of `hf auth login`. The library of the hub renews it if it expires soon."""
    try:
        from huggingface_hub import constants, get_token
    except ImportError:  # in a container, which has no login
        return None
    try:
        return None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
    except Exception as error:  # the file is not readable, or a token service of CI refuses
        what = f"the token of the hub cannot be read: {error}"
        raise InvalidInput(Problem("invalid-secret", what, hint="hf auth login, or export HF_TOKEN=…")) from None
