"""Redaction of secrets in shared text, by the names of values, their patterns and the environment variables."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

from ftrun.api.errors import InvalidInput
from ftrun.api.secrets import SECRETS, read_secret, variables_of

HIDDEN = "•••"
NO_VALUES = ("", "???", HIDDEN)
MIN_LENGTH = 8  # characters: a shorter value may be an ordinary word
WORDS = (
    "(?:api|access|private|secret|auth|wandb|comet|judge|openai|hub)_?key|secret|password|passwd|passphrase|credentials?"
    "|(?:auth|access|hub|hf)_token"
)
VARIABLES = "TOKEN|KEY|SECRET|PASSWORD"
NAMES = re.compile(rf"(?:{VARIABLES})$|(?i:{WORDS})$")
TOKENS = r"\b(?:hf_|sk-)[\w-]{16,}"  # tokens of the Hugging Face Hub, and keys in the format of OpenAI
PATTERNS = (
    # user and password in a URL
    re.compile(r"(://)[^/\s:@<>]+:[^/\s@<>]+(?=@)"),
    # a signature or key in the query of a URL
    re.compile(r"((?:[?&]|&amp;)[\w.-]*(?i:sig|signature|token|key|secret|credential|password)=)[^&\s\"'<>]+"),
    # an override or a shell assignment
    re.compile(rf"(\b[\w.]*(?:{VARIABLES}|(?i:{WORDS}))=)[^\s\"'<>]{{{MIN_LENGTH},}}"),
    re.compile(rf"(){TOKENS}"),
)


def redact(value: Any, name: str = "") -> Any:
    """Return a value of a recipe in which every text under the name of a secret is hidden."""
    if isinstance(value, dict):
        return {key: redact(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [redact(inner, name) for inner in value]
    return HIDDEN if isinstance(value, str) and value and NAMES.search(name) else value


def is_secret(name: str, value: object) -> bool:
    """Return whether a value is a secret: by its name, by its form, or because a variable of a secret contains it."""
    if not isinstance(value, str) or value in NO_VALUES:
        return False
    return bool(NAMES.search(name) or re.search(TOKENS, value)) or any(known in value for known in _variables())


def redact_all(value: Any) -> Any:
    """Return values of a record in which secrets are hidden, by their names and in every text."""
    hidden = redact(value)
    if isinstance(hidden, dict):
        return {key: redact_all(inner) for key, inner in hidden.items()}
    if isinstance(hidden, (list, tuple)):
        return [redact_all(inner) for inner in hidden]
    return redact_text(hidden) if isinstance(hidden, str) else hidden


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Return text or HTML without values that look like secrets, and without the secrets of this process.

    Args:
        text: The text or HTML.
        secrets: Names of the secrets that a run used, in addition to those that ftrun knows.
    """
    from markupsafe import escape  # as templates do; only when a page is made

    for value in _values(secrets):
        text = text.replace(escape(value), HIDDEN).replace(value, HIDDEN)
    for pattern in PATTERNS:
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return text


def _values(secrets: Iterable[str]) -> set[str]:
    used = {value for name in secrets for value in _read(name)}
    return _variables() | {value for value in used if len(value) >= MIN_LENGTH}


def _variables() -> set[str]:
    """Return the values of the variables of all secrets that ftrun knows."""
    known = (os.environ.get(variable, "") for name in SECRETS for variable in variables_of(name))
    return {value for value in known if len(value) >= MIN_LENGTH}


def _read(name: str) -> Iterable[str]:
    try:
        return read_secret(name).values()
    except InvalidInput:  # no value that could be read here can be in the text
        return ()
