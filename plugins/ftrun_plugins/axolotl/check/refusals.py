"""Refusals of axolotl as problems of ftrun, each with the key of the recipe that causes it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version

from pydantic import ValidationError

from ftrun.api.errors import Problem

# Errors with which axolotl refuses a configuration. On a machine without a GPU, it may raise others for lack of one.
REFUSALS = (ValueError, NotImplementedError, ImportError)
LONGEST = 600  # characters of a message
MOST_KEYS = 3  # places of a message that names several keys


def describe_refusal(error: Exception, origins: Mapping[str, str], suffix: str = "") -> Iterator[Problem]:
    """Yield a problem for each error of axolotl. `suffix` follows each message.

    Args:
        error: The exception.
        origins: For each trainer key, the path in the recipe that sets it.
        suffix: Further words, such as the GPU for which the configuration was checked.
    """
    found: dict[tuple[str | None, str], None] = {}
    for keys, message in _split(error):
        named = [origins[key] for key in dict.fromkeys([*keys, *_find_keys(message, origins)]) if key in origins]
        at = " and ".join(named[:MOST_KEYS]) or ".".join(keys) or None
        found.setdefault((at, message), None)
    for at, message in found:
        yield Problem(
            "refused-by-trainer",
            f"axolotl refuses the configuration{suffix}: {message}",
            at=at,
            hint=f"axolotl {version('axolotl')} would end with this error when training starts; change these keys",
        )


def _split(error: Exception) -> Iterator[tuple[list[str], str]]:
    """Yield the path of keys and the message of each error."""
    if not isinstance(error, ValidationError):
        yield [], _shorten(str(error) or type(error).__name__)
        return
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        message = detail["msg"].removeprefix("Value error, ")
        yield [str(part) for part in detail["loc"][:1]], _shorten(message)


def _shorten(message: str) -> str:
    text = " ".join(message.split()).rstrip(".")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _find_keys(message: str, origins: Mapping[str, str]) -> list[str]:
    """Return the trainer keys of a recipe that a message names, in the order of the message."""
    return [word for word in re.findall(r"[a-z][a-z0-9_]*", message.lower()) if word in origins]
