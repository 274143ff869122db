"""Section on provenance: versions, hardware and code, which are needed to reproduce a result."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from ftrun.report.run_data import RunData
from ftrun.report.table import Table
from ftrun.store.run_record import Facts, Git

SHOWN_DIGITS = 12  # of digests and commits
NAMED_FACTS: Final[tuple[Literal["ftrun", "python", "platform"], ...]] = ("ftrun", "python", "platform")


def provenance(run: RunData) -> dict[str, Any]:
    titles = ("calls", "Python", "machine", "packages")
    return {
        "facts": list(_client(run.record.facts)),
        "environments": Table("Environments of the calls", titles, _environments(run)),
    }


def _client(facts_of_run: Facts) -> Iterator[tuple[str, str | None]]:
    yield from ((name, facts_of_run.get(name)) for name in NAMED_FACTS)
    git = facts_of_run.get("git") or Git()
    commit = (git.get("commit") or "")[:SHOWN_DIGITS]
    yield "commit", f"{commit}{' with uncommitted changes' if git.get('changed') else ''}"
    yield "packages", _packages(facts_of_run.get("versions", {}))
    for name, digest in facts_of_run.get("environments", {}).items():
        yield f"environment {name}", digest[:SHOWN_DIGITS]


def _environments(run: RunData) -> list[Sequence[str]]:
    """Return one table row for all calls with the same Python, machine and packages."""
    calls: dict[str, list[str]] = {}
    for call in run.plan.calls:
        result = run.record.results.get(call.label)
        recorded: Mapping[str, Any] = result.get("facts", {}) if result else {}
        environment = {name: recorded.get(name) for name in ("python", "machine", "versions")}
        if any(environment.values()):
            calls.setdefault(json.dumps(environment, sort_keys=True), []).append(call.label)
    environments = ((labels, json.loads(text)) for text, labels in calls.items())
    return [
        (
            ", ".join(labels),
            environment["python"] or "",
            environment["machine"] or "",
            _packages(environment["versions"] or {}),
        )
        for labels, environment in environments
    ]


def _packages(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
