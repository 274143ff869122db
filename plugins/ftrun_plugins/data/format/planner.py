"""Plans the stage `format`: the recipe's dataset without paths and addresses, and digests of what it reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.recipe import Dataset, PluginRef
from ftrun.api.sources import InputFile
from ftrun.api.stage_call import Component, StageCall
from ftrun.planning.normalize import normalize
from ftrun.planning.planner import Planner
from ftrun_plugins.data.format.params import (
    FormatterPart,
    MixedPart,
    OutsideFile,
    OutsideRepository,
    Params,
    SourcePart,
)


@dataclass
class FormatPlan:
    """What a call of the stage is made of; filled while its parts are looked at."""

    planning: Planner
    files: dict[str, Path] = field(default_factory=dict)
    inputs: dict[str, StageCall] = field(default_factory=dict)
    components: dict[str, Component] = field(default_factory=dict)
    _environments: dict[str, str] = field(default_factory=dict)  # by source

    def params(self, dataset: Dataset) -> Params:
        """The parameters for a dataset. Raises `InvalidInput` where something from outside is missing or another."""
        weighted = any(part.weight for part in dataset.parts.values())
        return Params(
            source=self._source(dataset.source) if dataset.source else None,
            held_out=self._source(dataset.held_out) if dataset.held_out else None,
            formatter=self._formatter(dataset.formatter) if dataset.source or dataset.held_out else None,
            split=dataset.split,
            on_bad_row=dataset.on_bad_row,
            parts=tuple(self._part(name, dataset) for name in sorted(dataset.parts)),
            stopping_strategy=dataset.stopping_strategy if weighted else None,
            filters=dataset.filters,
            shuffle=dataset.shuffle,
            limit=dataset.limit,
            held_out_limit=(dataset.held_out_limit or dataset.limit) if any(dataset.held_out_sources()) else None,
        )

    @property
    def environment(self) -> str | None:
        """The one that a source asks for; None where the client's will do."""
        return next(iter(self._environments.values()), None)

    def _part(self, name: str, dataset: Dataset) -> MixedPart:
        part = dataset.parts[name]
        return MixedPart(
            name=name,
            source=self._source(part.source),
            held_out=self._source(part.held_out) if part.held_out else None,
            formatter=self._formatter(part.formatter or dataset.formatter),
            split=dataset.split_of(part),
            filters=part.filters,
            limit=part.limit,
            weight=part.weight,
        )

    def _formatter(self, named: PluginRef | None) -> FormatterPart:
        assert named is not None, "the recipe was checked"
        cls = self._component("formatter", named.name)
        return FormatterPart(name=named.name, options=normalize(cls.Options.model_validate(named.options)))

    def _source(self, named: PluginRef) -> SourcePart:
        cls = self._component("source", named.name)
        if environment := getattr(cls, "environment", None):
            self._environments[named.name] = environment
            if len(set(self._environments.values())) > 1:
                told = ", ".join(f"{name} in {where}" for name, where in self._environments.items())
                raise InvalidInput(
                    Problem("name-conflict", f"the sources run in different environments: {told}", "dataset")
                )
        options = cls.Options.model_validate(named.options)
        externals = cls().externals(options)
        files = tuple(self._file(external) for external in externals)
        return SourcePart(name=named.name, options=normalize(options, externals), files=files)

    def _component(self, kind: str, name: str) -> Any:
        self.components[f"{kind}:{name}"] = self.planning.component(kind, name)
        return self.planning.plugins.get(kind, name).cls

    def _file(self, external: InputFile) -> OutsideFile | OutsideRepository:
        if external.hub is not None:
            hub = external.hub
            repository = OutsideRepository(
                name=external.name, repository=hub.repository, commit=hub.commit, patterns=hub.patterns
            )
            self._downloaded(external, repository.download)
            return repository
        if external.path is not None:
            return self._local(external, external.path)
        if external.sha256 is None:
            raise InvalidInput(Problem("missing-key", "a download needs the sha256 of its content", external.url))
        file = OutsideFile(name=external.name, sha256=external.sha256)
        self._downloaded(external, file.download)
        return file

    def _downloaded(self, external: InputFile, role: str) -> None:
        call = self.planning.find(external.fetch_label)
        if call is None:
            do = "add `fetch` to the recipe's stages, before `format`"
            raise InvalidInput(
                Problem("nothing-to-do", "no stage downloads it", external.url or external.name, hint=do)
            )
        self.inputs[role] = call

    def _local(self, external: InputFile, path: Path) -> OutsideFile:
        try:
            sha256 = self.planning.digests.file(path)
        except OSError as error:
            raise InvalidInput(
                Problem("file-unreadable", f"the file cannot be read: {error.strerror}", str(path))
            ) from error
        if external.sha256 not in (None, sha256):
            raise InvalidInput(
                Problem("content-changed", f"the file's sha256 is {sha256}", str(path), expected=external.sha256)
            )
        self.files[sha256] = path
        return OutsideFile(name=external.name, sha256=sha256)
