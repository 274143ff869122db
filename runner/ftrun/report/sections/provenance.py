"""The section on surroundings: versions, hardware and code, so that a result can be made again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ftrun.report.html import Content, Html, facts, table
from ftrun.report.run_data import RunData

DIGITS = 12  # shown of digests and commits


def surroundings(material: RunData) -> Iterator[Html]:
    yield facts(_client(material.record.facts))
    rows = _environments(material)
    if rows:
        yield table("Where the calls ran", ("calls", "Python", "machine", "packages"), rows)


def _client(known: dict[str, Any]) -> Iterator[tuple[str, Content]]:
    for name in ("ftrun", "python", "platform"):
        yield name, known.get(name)
    git = known.get("git") or {}
    yield "commit", f"{git.get('commit', '')[:DIGITS]}{' with changes' if git.get('changed') else ''}"
    yield "packages", _packages(known.get("versions", {}))
    for name, digest in known.get("environments", {}).items():
        yield f"environment {name}", digest[:DIGITS]


def _environments(material: RunData) -> list[Sequence[Content]]:
    """The calls that ran with the same Python, machine and packages are one row."""
    calls: dict[str, list[str]] = {}
    for call in material.plan.calls:
        known = material.record.results.get(call.label, {}).get("facts", {})
        same = {name: known.get(name) for name in ("python", "machine", "versions")}
        if any(same.values()):
            calls.setdefault(json.dumps(same, sort_keys=True), []).append(call.label)
    found = ((labels, json.loads(same)) for same, labels in calls.items())
    return [
        (", ".join(labels), same["python"] or "", same["machine"] or "", _packages(same["versions"] or {}))
        for labels, same in found
    ]


def _packages(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
