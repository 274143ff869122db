"""Redaction of secrets in shared text, by the names of values, their patterns and the environment variables."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

from ftrun.api.errors import InvalidInput
from ftrun.api.secrets import SECRETS, read_secret, variables_of

HIDDEN = "•••"
MIN_LENGTH = 8  # characters: a shorter value may be an ordinary word
WORDS = "api_?key|access_?key|secret|password|passwd|(?:auth|access|hub|hf)_token"
VARIABLES = "TOKEN|KEY|SECRET|PASSWORD"
NAMES = re.compile(rf"(?:{VARIABLES})$|(?i:{WORDS})$")
PATTERNS = (
    # user and password in a URL
    re.compile(r"(://)[^/\s:@<>]+:[^/\s@<>]+(?=@)"),
    # a signature or key in the query of a URL
    re.compile(r"((?:[?&]|&amp;)[\w.-]*(?i:sig|signature|token|key|secret|credential|password)=)[^&\s\"'<>]+"),
    # an override or a shell assignment
    re.compile(rf"(\b[\w.]*(?:{VARIABLES}|(?i:{WORDS}))=)[^\s\"'<>]{{{MIN_LENGTH},}}"),
    # tokens of the Hugging Face Hub, and keys in the format of OpenAI
    re.compile(r"()\b(?:hf_|sk-)[\w-]{16,}"),
)


def redact(value: Any, name: str = "") -> Any:
    """Return a value of a recipe in which every text under the name of a secret is hidden."""
    if isinstance(value, dict):
        return {key: redact(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [redact(inner, name) for inner in value]
    return HIDDEN if isinstance(value, str) and value and NAMES.search(name) else value


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Return text or HTML without values that look like secrets, and without the secrets of this process.

    Args:
        text: The text or HTML.
        secrets: Names of the secrets that a run used, in addition to those that ftrun knows.
    """
    from markupsafe import escape  # as templates do; only when a page is made

    for value in _values(secrets):
        text = text.replace(escape(value), HIDDEN)
    for pattern in PATTERNS:
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return text


def _values(secrets: Iterable[str]) -> set[str]:
    known = {os.environ.get(variable, "") for name in SECRETS for variable in variables_of(name)}
    used = {value for name in secrets for value in _read(name)}
    return {value for value in known | used if len(value) >= MIN_LENGTH}


def _read(name: str) -> Iterable[str]:
    try:
        return read_secret(name).values()
    except InvalidInput:  # no value that could be read here can be in the text
        return ()
