"""What two runs differ in, section by section: recipe, data, code, versions, hardware, results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from ftrun.api.paths import Store
from ftrun.api.stage_call import Plan
from ftrun.recipe.yaml_files import leaves
from ftrun.report.redaction import redact_text
from ftrun.report.run_data import RunData
from ftrun.store.env_packages import load_packages
from ftrun_plugins.compare.metric_diff import differences

DIGITS = 12  # shown of digests
ABOUT_DATA = ("fetch", "format", "tokenize")  # stages whose figures are of the data

Section = dict[str, dict[str, Any]]  # by key: the `values` of both runs, and what the section adds


def sections(store: Store, first: RunData, other: RunData) -> dict[str, Section]:
    """Only what differs; a section in which nothing does is empty."""
    both = (first, other)
    return {
        "recipe": _recipe(first, other),
        "data": _differing(*({**_files(one.plan), **dict(_metrics(one, of_data=True))} for one in both)),
        "code": _differing(*(_code(one.plan) for one in both)),
        "versions": _versions(store, first, other),
        "hardware": _differing(*(_hardware(one) for one in both)),
        "results": _differing(*({**_ends(one), **dict(_metrics(one, of_data=False))} for one in both)),
    }


def _differing(first: Mapping[str, Any], other: Mapping[str, Any]) -> Section:
    return {key: {"values": values} for key, values in differences([first, other]).items()}


def _recipe(first: RunData, other: RunData) -> Section:
    """Each value with the file or override that set it."""
    found = _differing(first.values, other.values)
    for key, one in found.items():
        one["from"] = [_origin(material, key) if key in material.values else None for material in (first, other)]
    return found


def _origin(material: RunData, key: str) -> str:
    return redact_text(material.record.origins.get(key, "default"))


def _files(plan: Plan) -> dict[str, str]:
    """Digests of what the calls read from outside, by the names of the files."""
    return {
        f"{call.label} {PurePath(place).name}": digest[:DIGITS]
        for call in plan.calls
        for digest, place in call.files.items()
    }


def _code(plan: Plan) -> dict[str, Any]:
    """Versions of the stages, and digests of the formatters, sources and evaluators that they use."""
    found: dict[str, Any] = {f"stage {call.stage}": call.version for call in plan.calls}
    for call in plan.calls:
        found |= {name.replace(":", " "): part.source[:DIGITS] for name, part in call.components.items()}
    return found


def _versions(store: Store, first: RunData, other: RunData) -> Section:
    """Environments package by package, where this machine knows both."""
    sides = [dict(_client(one.record.facts)) for one in (first, other)]
    used: list[dict[str, str]] = [one.record.facts.get("environments", {}) for one in (first, other)]
    for name in dict.fromkeys(name for side in used for name in side):
        digests = [side.get(name, "") for side in used]
        known = [load_packages(store, digest) for digest in digests]
        for side, digest, inside in zip(sides, digests, known, strict=True):
            if None not in known and digests[0] != digests[1]:
                side.update({f"{name}: {package}": version for package, version in (inside or {}).items()})
            elif digest:
                side[f"environment {name}"] = digest[:DIGITS]
    return _differing(*sides)


def _client(known: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in ("ftrun", "python"):
        yield name, known.get(name)
    yield from known.get("versions", {}).items()
    git = known.get("git") or {}
    yield "git commit", git.get("commit", "")[:DIGITS] or None
    yield "git changes", git.get("changed")


def _hardware(material: RunData) -> dict[str, Any]:
    record = material.record
    found: dict[str, Any] = {"backend": record.backend, "platform": record.facts.get("platform")}
    kinds = {call.label: " or ".join(call.work.gpu) for call in material.plan.calls}
    for label, work in record.facts.get("hardware", {}).items():
        found[f"{label} cores"], found[f"{label} gpus"] = work.get("cores"), kinds.get(label) or work.get("gpus")
    return found


def _ends(material: RunData) -> dict[str, Any]:
    record = material.record
    took = round(record.ended - record.started, 1) if record.started and record.ended else None
    found: dict[str, Any] = {"status": record.status, "seconds": took, "cost": record.cost}
    for name, result in material.evaluation.items():
        found |= {f"{name} {what}": result.get(what) for what in ("rows", "base", "tuned", "gain", "verdict")}
    return found


def _metrics(material: RunData, of_data: bool) -> Iterator[tuple[str, Any]]:
    """What the calls measured; the evaluation has its own lines."""
    for label, result in material.record.results.items():
        stage = label.partition(":")[0]
        if (stage in ABOUT_DATA) == of_data and stage != "evaluate":
            for path, value in leaves(result["metrics"], (label,)):
                yield " ".join(str(part).replace("_", " ") for part in path), value
