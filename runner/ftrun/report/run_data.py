"""Data of a run for its report: record, recipe, plan, events and small files of its artifacts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ftrun.api.events import Event, read
from ftrun.api.paths import RunFolder
from ftrun.api.redaction import redact
from ftrun.api.stage_call import Plan, Ref
from ftrun.recipe.yaml_files import leaves
from ftrun.store import runs
from ftrun.store.artifacts import Read
from ftrun.store.run_plan import read_plan_if_possible, read_recipe_values
from ftrun.store.run_record import EvaluationResult


@dataclass(frozen=True)
class RunData:
    """Data of one run, on this machine or on another."""

    folder: RunFolder
    read: Read

    @cached_property
    def record(self) -> runs.RunRecord:
        return runs.load(self.folder)

    @cached_property
    def plan(self) -> Plan:
        """The plan; one without calls if it cannot be read, with a warning."""
        return read_plan_if_possible(self.folder) or Plan(recipe=self.record.recipe, calls=())

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """The composed recipe, without secrets."""
        values: dict[str, Any] = redact(read_recipe_values(self.folder))
        return values

    @property
    def values(self) -> dict[str, Any]:
        """The values of the recipe by dotted path. A list is one value."""
        return {".".join(map(str, path)): value for path, value in leaves(self.recipe)}

    def events(self) -> Iterator[Event]:
        """Yield the events of the run, then those in separate files of containers; each call's are in order."""
        for file in (self.folder.events, *sorted(self.folder.events_of("any").parent.glob("*.jsonl"))):
            yield from read(file)

    @property
    def evaluation(self) -> dict[str, EvaluationResult]:
        """The results of the evaluations by name, in the order of the recipe, because a record does not keep it."""
        results = self.record.evaluation
        return {name: results[name] for name in (*self.recipe.get("evals", {}), *results) if name in results}

    def json(self, call: str, name: str) -> Any:
        """Return the value in a JSON file of a call's artifact, or None if there is no such file."""
        content = self._file(call, name)
        return None if content is None else json.loads(content)

    def lines(self, call: str, name: str) -> Iterator[dict[str, Any]]:
        """Yield the values in a JSON Lines file of a call's artifact; yield nothing if there is no such file."""
        for line in (self._file(call, name) or b"").splitlines():
            yield json.loads(line)

    def _file(self, call: str, name: str) -> bytes | None:
        result = self.record.results.get(call)
        return self.read(Ref.parse(result["artifact"]), name) if result else None
