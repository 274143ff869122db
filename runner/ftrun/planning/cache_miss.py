"""Reasons for a cache miss: the differences between a stage call and the same call of the last run of the recipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from ftrun.api.redaction import redact_all
from ftrun.api.stage_call import Plan, StageCall
from ftrun.utils.value_format import shorten_value

MOST_REASONS = 3
SHORTEST_DIGEST = 32  # digits; longer hexadecimal texts count as digests, whose values mean nothing to a reader


class Difference(NamedTuple):
    """Difference between two calls, with its text for the user. `content` is that of a local file."""

    kind: Literal["input", "code", "version", "environment", "content", "param"]
    text: str


def explain_miss(call: StageCall, last: Plan | None) -> list[str]:
    """Return up to `MOST_REASONS` reasons why a call is not cached, and the number of others.

    If nothing differs from the last run, the artifact was removed or the call did not finish.
    """
    if last is None:
        return ["never ran"]
    last_call = next((other for other in last.calls if other.label == call.label), None)
    if last_call is None:
        return ["new in this recipe"]
    if last_call.key == call.key:
        return ["not finished by the last run, or removed since"]
    reasons = [difference.text for difference in differences(last_call, call)]
    more = len(reasons) - MOST_REASONS
    return reasons[:MOST_REASONS] + ([f"and {more} more"] if more > 0 else [])


def differences(before: StageCall, after: StageCall) -> Iterator[Difference]:
    """Yield all differences between two calls."""
    old, new = before.identity, after.identity
    for role in sorted({*old["inputs"], *new["inputs"]}):
        if old["inputs"].get(role) != new["inputs"].get(role):
            yield Difference("input", f"the input `{role}` changed")
    yield from own_differences(before, after)


def own_differences(before: StageCall, after: StageCall) -> Iterator[Difference]:
    """Yield the differences between two calls, except for those of their inputs."""
    old, new = before.identity, after.identity
    for name in sorted({*old["components"], *new["components"]}):
        if old["components"].get(name) != new["components"].get(name):
            yield Difference("code", f"the code of {name.replace(':', ' ')} changed")
    if old["version"] != new["version"]:
        yield Difference("version", f"the version of the stage is {new['version']}, was {old['version']}")
    if old["environment"] != new["environment"]:
        yield Difference("environment", f"the environment `{after.environment.name}` changed")
    yield from _compare_values(old["params"], new["params"], "", after.files)


def _compare_values(old: Any, new: Any, path: str, files: Mapping[str, str]) -> Iterator[Difference]:
    """Yield the differences between two values. `files` maps the digests of files to their paths."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            yield from _compare_values(old.get(key), new.get(key), f"{path}.{key}".lstrip("."), files)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (old_item, new_item) in enumerate(zip(old, new, strict=True)):
            yield from _compare_values(old_item, new_item, f"{path}[{index}]", files)
    elif old != new:
        if isinstance(new, str) and new in files:
            yield Difference("content", f"the content of {files[new]} changed")
        elif _is_digest(old) or _is_digest(new) or _has_secret(path, old, new):
            yield Difference("param", f"{path} changed")
        else:
            yield Difference("param", f"{path}: {shorten_value(old)} -> {shorten_value(new)}")


def _has_secret(path: str, *values: Any) -> bool:
    name = path.rpartition(".")[2]
    return any(redact_all({name: value})[name] != value for value in values)


def _is_digest(value: Any) -> bool:
    return (
        isinstance(value, str)
        and len(value) >= SHORTEST_DIGEST
        and all(letter in "0123456789abcdef" for letter in value)
    )
