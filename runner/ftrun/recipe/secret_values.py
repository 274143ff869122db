"""Refusal of secrets in recipes and overrides. A run records both, and everybody who reads the store sees them.

No message shows the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.issues import Issue, KeyPath
from ftrun.api.redaction import HIDDEN, NAMES, is_secret
from ftrun.api.secrets import HUB, SECRETS, variables_of
from ftrun.utils.text import dotted

WORDS = {"hub": HUB, "hf": HUB, "openai": "judge"}  # in names of keys, for the names of secrets
NULLS = ("null", "true", "false")
_INNER = re.compile(r"""(?P<key>[\w.-]+)['"]?\s*:\s*(?P<value>"[^"]*"|'[^']*'|[^\s,{}\[\]]+)""")


def check_overrides(overrides: Sequence[str]) -> None:
    """Check that no override has a secret, before another message can show it.

    Raises:
        InvalidInput: If one has. The error has a problem for each of them.
    """
    problems = [problem for override in overrides for problem in _check_override(override)]
    if problems:
        raise InvalidInput(list(dict.fromkeys(problems)))


def check_values(values: Iterable[tuple[KeyPath, object]]) -> Iterator[Issue]:
    """Yield an issue for each secret in the values of a recipe."""
    for path, value in values:
        names = [part for part in path if isinstance(part, str)]
        if names and is_secret(names[-1], value):
            yield Issue("secret-in-recipe", path, f"`{dotted(path)}` contains a secret", hint=_hint(dotted(path)))


def _check_override(override: str) -> Iterator[Problem]:
    key, equals, value = override.partition("=")
    key = key.lstrip("+~")
    inner = {match["key"]: match["value"] for match in _INNER.finditer(value)} if value.startswith(("{", "[")) else {}
    named: Mapping[str, str] = inner or {key: value}
    for name, text in named.items():
        text = text.strip("'\"")
        if equals and text not in NULLS and not text.startswith("${") and is_secret(name.rpartition(".")[2], text):
            path = key if not inner else f"{key}.{name}"
            yield Problem(
                "secret-in-recipe", f"`{path}` contains a secret", f"override {key}={HIDDEN}", hint=_hint(path)
            )


def _hint(path: str) -> str:
    """Return the variable to set in place of a key."""
    name = path.rpartition(".")[2]
    words = re.split(r"[._]", path.lower())
    known = next((WORDS.get(word, word) for word in words if word in (*WORDS, *SECRETS)), None)
    variable = name if name.isupper() and NAMES.search(name) else variables_of(known)[0] if known else None
    if variable is None:
        return "leave it out; secrets come from environment variables, see docs/reference/variables.md"
    return f"leave it out, and run `export {variable}=…` before the command; only stages that need it get it"
