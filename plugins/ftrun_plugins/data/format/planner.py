"""Planning of the stage `format`: the recipe's dataset without paths and addresses, with digests of its input files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.normalize import normalize
from ftrun.api.planner import Planner
from ftrun.api.recipe import Dataset, PluginRef, Split
from ftrun.api.sources import InputFile
from ftrun.api.stage_call import Component, StageCall
from ftrun_plugins.data.format.params import (
    FormatterPart,
    MixedPart,
    OutsideFile,
    OutsideRepository,
    Params,
    SourcePart,
)
from ftrun_plugins.data.format.source_key import source_key, with_source_keys


@dataclass
class FormatPlan:
    """Inputs, files and components of a call of the stage, collected while `params` reads the dataset."""

    planner: Planner
    files: dict[str, Path] = field(default_factory=dict)
    inputs: dict[str, StageCall] = field(default_factory=dict)
    components: dict[str, Component] = field(default_factory=dict)
    _environments: dict[str, str] = field(default_factory=dict)  # by source

    def params(self, dataset: Dataset) -> Params:
        """Return the parameters for a dataset.

        Raises:
            InvalidInput: If an input file is missing, or does not have the expected content.
        """
        weighted = any(part.weight for part in dataset.parts.values())
        return Params(
            source=self._plan_source(dataset.source, source_key("source")) if dataset.source else None,
            held_out=self._plan_source(dataset.held_out, source_key("held_out")) if dataset.held_out else None,
            formatter=self._plan_formatter(dataset.formatter) if dataset.source or dataset.held_out else None,
            split=self._plan_split(dataset.split, dataset.source),
            on_bad_row=dataset.on_bad_row,
            parts=tuple(self._plan_part(name, dataset) for name in sorted(dataset.parts)),
            stopping_strategy=dataset.stopping_strategy if weighted else None,
            filters=dataset.filters,
            ignore_columns=tuple(sorted(set(dataset.ignore_columns))),
            row_key=dataset.row_key,
            overlap=dataset.checks.overlap if dataset.holds_out and dataset.checks.overlap != "report" else None,
            shuffle=dataset.shuffle,
            limit=dataset.limit,
            held_out_limit=(dataset.held_out_limit or dataset.limit) if any(dataset.held_out_sources()) else None,
        )

    @property
    def environment(self) -> str | None:
        """Environment that a source needs, or None if the environment of the client is sufficient."""
        return next(iter(self._environments.values()), None)

    def _plan_part(self, name: str, dataset: Dataset) -> MixedPart:
        part = dataset.parts[name]
        return MixedPart(
            name=name,
            source=self._plan_source(part.source, source_key("source", name)),
            held_out=self._plan_source(part.held_out, source_key("held_out", name)) if part.held_out else None,
            formatter=self._plan_formatter(part.formatter or dataset.formatter),
            split=self._plan_split(dataset.split_of(part), part.source),
            filters=part.filters,
            ignore_columns=tuple(sorted(set(part.ignore_columns))),
            row_key=part.row_key or dataset.row_key,
            limit=part.limit,
            weight=part.weight,
        )

    def _plan_split(self, split: Split, source: PluginRef | None) -> Split:
        """Return the split, by the column in which the source groups its rows unless the recipe says otherwise."""
        column = getattr(self.planner.registered("source", source.name), "group_column", None) if source else None
        is_default = split.by is None and "group" not in split.model_fields_set
        return (
            split.model_copy(update={"by": column})
            if column and is_default and (split.held_out or split.validation)
            else split
        )

    def _plan_formatter(self, ref: PluginRef | None) -> FormatterPart:
        assert ref is not None, "check.py reports a missing formatter"
        cls = self._add_component("formatter", ref.name)
        return FormatterPart(name=ref.name, options=normalize(cls.Options.model_validate(ref.options)))

    def _plan_source(self, ref: PluginRef, key: str) -> SourcePart:
        cls = self._add_component("source", ref.name)
        if environment := getattr(cls, "environment", None):
            self._environments[ref.name] = environment
            if len(set(self._environments.values())) > 1:
                sources = ", ".join(f"`{name}` needs `{needed}`" for name, needed in self._environments.items())
                raise InvalidInput(
                    Problem("name-conflict", f"the sources need different environments: {sources}", "dataset")
                )
        options = cls.Options.model_validate(ref.options)
        with with_source_keys(key):
            externals = cls().externals(options)
        files = tuple(self._plan_file(external) for external in externals)
        return SourcePart(name=ref.name, options=normalize(options, externals), files=files)

    def _add_component(self, kind: str, name: str) -> Any:
        self.components[f"{kind}:{name}"] = self.planner.component(kind, name)
        return self.planner.registered(kind, name)

    def _plan_file(self, external: InputFile) -> OutsideFile | OutsideRepository:
        if external.hub is not None:
            hub = external.hub
            repository = OutsideRepository(
                name=external.name, repository=hub.repository, commit=hub.commit, patterns=hub.patterns
            )
            self._add_download(external, repository.download)
            return repository
        if external.path is not None:
            return self._digest_file(external, external.path)
        if external.sha256 is None:
            raise InvalidInput(Problem("missing-key", "a download needs the sha256 of its content", external.url))
        file = OutsideFile(name=external.name, sha256=external.sha256)
        self._add_download(external, file.download)
        return file

    def _add_download(self, external: InputFile, role: str) -> None:
        call = self.planner.find(external.fetch_label)
        if call is None:
            hint = "add `fetch` to `stages`, before `format`"
            raise InvalidInput(
                Problem("nothing-to-do", "no stage downloads this input", external.url or external.name, hint=hint)
            )
        self.inputs[role] = call

    def _digest_file(self, external: InputFile, path: Path) -> OutsideFile:
        try:
            sha256 = self.planner.digests.file(path)
        except OSError as error:
            raise InvalidInput(
                Problem("file-unreadable", f"the file cannot be read: {error.strerror}", str(path))
            ) from error
        if external.sha256 not in (None, sha256):
            raise InvalidInput(
                Problem("content-changed", f"the sha256 of the file is {sha256}", str(path), expected=external.sha256)
            )
        self.files[sha256] = path
        return OutsideFile(name=external.name, sha256=sha256)
