"""Sections of `ftrun diff`: recipe, data, code, versions, hardware and results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from ftrun.api.paths import Store
from ftrun.api.redaction import redact_text
from ftrun.api.stage_call import Plan
from ftrun.recipe.yaml_files import leaves
from ftrun.report.run_data import RunData
from ftrun.store.env_packages import load_packages
from ftrun_plugins.compare.metric_diff import differences

DIGITS = 12  # of a digest
RESULT_FIELDS = ("rows", "clusters", "unscored", "base", "tuned", "gain", "interval", "p", "p_adjusted", "verdict")
ABOUT_DATA = ("fetch", "format", "tokenize")  # stages whose metrics describe the data

Section = dict[str, dict[str, Any]]  # by key: the `values` of both runs, and more fields in some sections


def build_sections(store: Store, first: RunData, other: RunData) -> dict[str, Section]:
    """Return the differences of two runs by section. A section without differences is empty."""
    both = (first, other)
    return {
        "recipe": _recipe(first, other),
        "data": _compare(*({**_files(run.plan), **dict(_metrics(run, of_data=True))} for run in both)),
        "code": _compare(*(_code(run.plan) for run in both)),
        "versions": _versions(store, first, other),
        "hardware": _compare(*(_hardware(run) for run in both)),
        "results": _compare(*({**_results(run), **dict(_metrics(run, of_data=False))} for run in both)),
    }


def _compare(first: Mapping[str, Any], other: Mapping[str, Any]) -> Section:
    return {key: {"values": values} for key, values in differences([first, other]).items()}


def _recipe(first: RunData, other: RunData) -> Section:
    """Return the values that differ, each with the file or override that set it."""
    section = _compare(first.values, other.values)
    for key, difference in section.items():
        difference["from"] = [_origin(run, key) if key in run.values else None for run in (first, other)]
    return section


def _origin(run: RunData, key: str) -> str:
    return redact_text(run.record.origins.get(key, "default"))


def _files(plan: Plan) -> dict[str, str]:
    """Return the digests of the input files of the calls, by file name."""
    return {
        f"{call.label} {PurePath(place).name}": digest[:DIGITS]
        for call in plan.calls
        for digest, place in call.files.items()
    }


def _code(plan: Plan) -> dict[str, Any]:
    """Return the versions of the stages, and the digests of their formatters, sources and evaluators."""
    versions: dict[str, Any] = {f"stage {call.stage}": call.version for call in plan.calls}
    for call in plan.calls:
        versions |= {name.replace(":", " "): part.source[:DIGITS] for name, part in call.components.items()}
    return versions


def _versions(store: Store, first: RunData, other: RunData) -> Section:
    """Return the versions that differ; packages of an environment if this machine knows both environments."""
    sides = [dict(_client_versions(run.record.facts)) for run in (first, other)]
    used: list[dict[str, str]] = [run.record.facts.get("environments", {}) for run in (first, other)]
    for name in dict.fromkeys(name for side in used for name in side):
        digests = [side.get(name, "") for side in used]
        packages = [load_packages(store, digest) for digest in digests]
        for side, digest, versions in zip(sides, digests, packages, strict=True):
            if None not in packages and digests[0] != digests[1]:
                side.update({f"{name}: {package}": version for package, version in (versions or {}).items()})
            elif digest:
                side[f"environment {name}"] = digest[:DIGITS]
    return _compare(*sides)


def _client_versions(facts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in ("ftrun", "python"):
        yield name, facts.get(name)
    yield "ftrun code", facts.get("code", "")[:DIGITS] or None
    yield from (facts.get("packages") or facts.get("versions", {})).items()
    git = facts.get("git") or {}
    yield "git commit of the folder", git.get("commit", "")[:DIGITS] or None
    yield "git changes in the folder", git.get("changed")


def _hardware(run: RunData) -> dict[str, Any]:
    record = run.record
    hardware: dict[str, Any] = {"backend": record.backend, "platform": record.facts.get("platform")}
    kinds = {call.label: " or ".join(call.work.gpu) for call in run.plan.calls}
    for label, work in record.facts.get("hardware", {}).items():
        hardware[f"{label} cores"] = work.get("cores")
        hardware[f"{label} gpus"] = kinds.get(label) or work.get("gpus")
    return hardware


def _results(run: RunData) -> dict[str, Any]:
    record = run.record
    seconds = round(record.ended - record.started, 1) if record.started and record.ended else None
    results: dict[str, Any] = {"status": record.status, "seconds": seconds, "cost": record.cost}
    for name, result in run.evaluation.items():
        results |= {f"{name} {field.replace('_', ' ')}": result.get(field) for field in RESULT_FIELDS}
    return results


def _metrics(run: RunData, of_data: bool) -> Iterator[tuple[str, Any]]:
    """Yield the metrics of the calls, without those of the evaluation, which are in the results."""
    for label, result in run.record.results.items():
        stage = label.partition(":")[0]
        if (stage in ABOUT_DATA) == of_data and stage != "evaluate":
            for path, value in leaves(result["metrics"], (label,)):
                yield " ".join(str(part).replace("_", " ") for part in path), value
