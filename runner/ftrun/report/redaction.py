"""Keeps secrets out of what is shared: by the name that a value has, by its shape, and by the user's environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from html import escape
from typing import Any

from ftrun.api.secrets import SECRETS, variables_of

HIDDEN = "•••"
SHORTEST = 8  # letters: what is shorter is a word that may stand anywhere
WORDS = "api_?key|access_?key|secret|password|passwd|(?:auth|access|hub|hf)_token"
VARIABLES = "TOKEN|KEY|SECRET|PASSWORD"
NAMES = re.compile(rf"(?:{VARIABLES})$|(?i:{WORDS})$")
SHAPES = (
    # user and password in an address
    re.compile(r"(://)[^/\s:@<>]+:[^/\s@<>]+(?=@)"),
    # a signature or key in the query of an address
    re.compile(r"((?:[?&]|&amp;)[\w.-]*(?i:sig|signature|token|key|secret|credential|password)=)[^&\s\"'<>]+"),
    # an override, or a line of a shell
    re.compile(rf"(\b[\w.]*(?:{VARIABLES}|(?i:{WORDS}))=)[^\s\"'<>]{{{SHORTEST},}}"),
    # tokens of the hub, and keys as OpenAI and those who follow it make them
    re.compile(r"()\b(?:hf_|sk-)[\w-]{16,}"),
)


def redact(value: Any, name: str = "") -> Any:
    """A value of a recipe with every text hidden that has the name of a secret."""
    if isinstance(value, dict):
        return {key: redact(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [redact(inner, name) for inner in value]
    return HIDDEN if isinstance(value, str) and value and NAMES.search(name) else value


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Text or HTML without what looks like a secret, and without the values of this process's own.

    Args:
        text: What is shown.
        secrets: Names of the secrets that a run used beside those that ftrun knows.
    """
    for value in _values(secrets):
        text = text.replace(escape(value), HIDDEN)
    for shape in SHAPES:
        text = shape.sub(rf"\1{HIDDEN}", text)
    return text


def _values(secrets: Iterable[str]) -> set[str]:
    variables = {variable for name in (*SECRETS, *secrets) for variable in variables_of(name)}
    return {value for name in variables if len(value := os.environ.get(name, "")) >= SHORTEST}
