"""Redaction of secrets in shared text, by the names of values, their patterns and the environment variables."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ftrun.api.errors import InvalidInput
from ftrun.api.secrets import MIN_LENGTH, known_values, read_secret

HIDDEN = "•••"
NO_VALUES = ("", "???", HIDDEN)
WORDS = (
    "(?:api|access|private|secret|auth|wandb|comet|judge|openai|hub)_?key|secret|password|passwd|passphrase|credentials?"
    "|(?:auth|access|hub|hf)_token"
)
VARIABLES = "TOKEN|KEY|SECRET|PASSWORD"
NAMES = re.compile(rf"(?:{VARIABLES})$|(?i:{WORDS})$")
TOKENS = r"\b(?:hf_|sk-)[\w-]{16,}"  # tokens of the Hugging Face Hub, and keys in the format of OpenAI
HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&#39;", '"': "&#34;"})  # as templates escape
PATTERNS = (
    # user and password in a URL
    re.compile(r"(://)[^/\s:@<>]+:[^/\s@<>]+(?=@)"),
    # a signature or key in the query of a URL
    re.compile(r"((?:[?&]|&amp;)[\w.-]*(?i:sig|signature|token|key|secret|credential|password)=)[^&\s\"'<>]+"),
    # an override or a shell assignment
    re.compile(rf"(\b[\w.]*(?:{VARIABLES}|(?i:{WORDS}))=)[^\s\"'<>]{{{MIN_LENGTH},}}"),
    re.compile(rf"(){TOKENS}"),
)
PARTS = ("=", "://", "hf_", "sk-")  # of each text that a pattern matches; most texts have none of them


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
    return bool(NAMES.search(name) or re.search(TOKENS, value)) or any(known in value for known in known_values())


def redact_all(value: Any) -> Any:
    """Return values of a record in which secrets are hidden, by their names and in every text."""
    return _redact_all(value, "", known_values())


def _redact_all(value: Any, name: str, secrets: Collection[str]) -> Any:
    if isinstance(value, dict):
        return {key: _redact_all(inner, str(key), secrets) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redact_all(inner, name, secrets) for inner in value]
    if not isinstance(value, str) or not value:
        return value
    return HIDDEN if NAMES.search(name) else _hide(value, secrets)


def secret_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Return those variables of a process that have secrets, by their names or their values."""
    return {name: value for name, value in variables.items() if redact_all({name: value})[name] != value}


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Return text or HTML without values that look like secrets, and without the secrets of this process.

    Args:
        text: The text or HTML.
        secrets: Names of the secrets that a run used, in addition to those that ftrun knows.
    """
    return _hide(text, _values(secrets))


def _hide(text: str, secrets: Collection[str]) -> str:
    for value in secrets:
        text = text.replace(value.translate(HTML), HIDDEN).replace(value, HIDDEN)
    if any(part in text for part in PARTS):
        for pattern in PATTERNS:
            text = pattern.sub(rf"\1{HIDDEN}", text)
    return text


def _values(secrets: Iterable[str]) -> set[str]:
    used = {value for name in secrets for value in _read(name)}
    return known_values() | {value for value in used if len(value) >= MIN_LENGTH}


def _read(name: str) -> Iterable[str]:
    try:
        return read_secret(name).values()
    except InvalidInput:  # no value that could be read here can be in the text
        return ()
