"""All that a report is made of: a run's record, recipe, plan and events, and small files of what it made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from ftrun.api.events import Event, read
from ftrun.api.paths import RunFolder
from ftrun.api.stage_call import Plan, Ref
from ftrun.recipe.yaml_files import leaves
from ftrun.report.redaction import redact
from ftrun.store import runs
from ftrun.store.artifacts import Read


@dataclass(frozen=True)
class RunData:
    """One run, wherever it was."""

    folder: RunFolder
    read: Read

    @cached_property
    def record(self) -> runs.RunRecord:
        return runs.load(self.folder)

    @cached_property
    def plan(self) -> Plan:
        return Plan.model_validate_json(self.folder.plan.read_bytes())

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """The composed recipe, without secrets."""
        values: dict[str, Any] = redact(yaml.safe_load(self.folder.recipe.read_text(encoding="utf-8")))
        return values

    @property
    def values(self) -> dict[str, Any]:
        """The recipe's values by dotted path; lists are values."""
        return {".".join(map(str, path)): value for path, value in leaves(self.recipe)}

    def events(self) -> Iterator[Event]:
        """Those of a call are in their order, also where its containers wrote a file of their own."""
        for file in (self.folder.events, *sorted(self.folder.events_of("any").parent.glob("*.jsonl"))):
            yield from read(file)

    @property
    def evaluation(self) -> dict[str, dict[str, Any]]:
        """What the models reached, in the order of the recipe, which records lose."""
        found = self.record.results.get("evaluate", {}).get("metrics", {}).get("evaluation", {})
        return {name: found[name] for name in (*self.recipe.get("evals", {}), *found) if name in found}

    def json(self, call: str, name: str) -> Any:
        """The value in a file that a call made; None where it is not there."""
        content = self._file(call, name)
        return None if content is None else json.loads(content)

    def lines(self, call: str, name: str) -> Iterator[dict[str, Any]]:
        """The values in a file of JSON lines that a call made; none where it is not there."""
        for line in (self._file(call, name) or b"").splitlines():
            yield json.loads(line)

    def _file(self, call: str, name: str) -> bytes | None:
        result = self.record.results.get(call)
        return self.read(Ref.parse(result["artifact"]), name) if result else None
