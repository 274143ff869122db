"""Says why a call is not cached: what differs from the same call of the last run of this recipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ftrun.api.stage_call import Plan, StageCall
from ftrun.utils.value_format import shorten_value

MOST_REASONS = 3
SHORTEST_DIGEST = 32  # hexadecimal digits: longer words of them are digests, which tell a person nothing


def explain_miss(call: StageCall, last: Plan | None) -> list[str]:
    """Up to three differences in plain words; nothing differs where the artifact was removed or never finished."""
    if last is None:
        return ["never ran"]
    before = next((other for other in last.calls if other.label == call.label), None)
    if before is None:
        return ["new in this recipe"]
    if before.key == call.key:
        return ["not finished by the last run, or removed since"]
    found = list(differences(before, call))
    return found[:MOST_REASONS] + ([f"and {len(found) - MOST_REASONS} more"] if len(found) > MOST_REASONS else [])


def differences(before: StageCall, after: StageCall) -> Iterator[str]:
    """All that makes two calls differ, in plain words."""
    old, new = before.identity, after.identity
    for role in sorted({*old["inputs"], *new["inputs"]}):
        if old["inputs"].get(role) != new["inputs"].get(role):
            yield f"its input `{role}` changed"
    yield from own_differences(before, after)


def own_differences(before: StageCall, after: StageCall) -> Iterator[str]:
    """What makes two calls differ beside their inputs."""
    old, new = before.identity, after.identity
    for name in sorted({*old["components"], *new["components"]}):
        if old["components"].get(name) != new["components"].get(name):
            yield f"the code of {name.replace(':', ' ')} changed"
    if old["version"] != new["version"]:
        yield f"the stage's code has version {new['version']}, was {old['version']}"
    if old["environment"] != new["environment"]:
        yield f"the environment `{after.environment.name}` changed"
    yield from _values(old["params"], new["params"], "", after.files)


def _values(old: Any, new: Any, path: str, files: Mapping[str, str]) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            yield from _values(old.get(key), new.get(key), f"{path}.{key}".lstrip("."), files)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _values(before, after, f"{path}[{index}]", files)
    elif old != new:
        if isinstance(new, str) and new in files:
            yield f"the content of {files[new]} changed"
        elif _is_digest(old) or _is_digest(new):
            yield f"{path} changed"
        else:
            yield f"{path}: {shorten_value(old)} -> {shorten_value(new)}"


def _is_digest(value: Any) -> bool:
    return (
        isinstance(value, str)
        and len(value) >= SHORTEST_DIGEST
        and all(letter in "0123456789abcdef" for letter in value)
    )
