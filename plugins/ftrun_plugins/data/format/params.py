"""All that the stage `format` depends on: its parts with their options, the digests of what they read, the split."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from ftrun.api.dataset import Filter, Split
from ftrun.api.sources import HubFiles

Role = Literal["source", "held_out"]
# Recipes that know nothing of these keep their keys.
IN_KEY_WHERE_SET = ("limit", "held_out_limit", "parts", "stopping_strategy", "filters", "shuffle")


class Frozen(BaseModel):
    """Immutable, and an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OutsideFile(Frozen):
    """A file that a source reads: how rows call it, and its content."""

    name: str
    sha256: str

    @property
    def download(self) -> str:
        """The role under which the artifact of its download is an input, where it is one."""
        return f"url:{self.sha256[:12]}"


class OutsideRepository(Frozen):
    """Files of a dataset on the hub that a source reads, as they are at a commit."""

    name: str
    repository: str
    commit: str
    patterns: tuple[str, ...]

    @property
    def download(self) -> str:
        """The role under which the artifact of its download is an input."""
        return f"hub:{HubFiles(self.repository, self.commit, self.patterns).digest}"


class SourcePart(Frozen):
    """A source by name. Its options hold no folder: where a file lies changes nothing."""

    name: str
    options: dict[str, Any]
    files: tuple[OutsideFile | OutsideRepository, ...]


class FormatterPart(Frozen):
    """A formatter by name, with its options."""

    name: str
    options: dict[str, Any]


class MixedPart(Frozen):
    """One of several sources that are mixed."""

    name: str
    source: SourcePart
    held_out: SourcePart | None
    formatter: FormatterPart
    split: Split
    filters: tuple[Filter, ...]
    limit: int | None
    weight: float | None


@dataclass(frozen=True)
class Reading:
    """One source and all that its rows go through."""

    role: Role
    source: SourcePart
    formatter: FormatterPart
    split: Split
    filters: tuple[Filter, ...]
    limit: int | None
    part: str | None = None
    weight: float | None = None


class Params(Frozen):
    """The parameters of the stage. There is a `source`, or there are `parts`."""

    source: SourcePart | None
    held_out: SourcePart | None
    formatter: FormatterPart | None  # of `source` and `held_out`
    split: Split
    on_bad_row: Literal["stop", "skip"]
    parts: tuple[MixedPart, ...] = ()  # by name
    stopping_strategy: Literal["first_exhausted", "all_exhausted"] | None = None  # of a mix by weight
    filters: tuple[Filter, ...] = ()
    shuffle: int | None = None  # seed
    limit: int | None = None  # rows
    held_out_limit: int | None = None

    @model_serializer(mode="wrap")
    def _without_what_is_unset(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        return {
            name: value for name, value in values.items() if name not in IN_KEY_WHERE_SET or value not in (None, [], ())
        }

    def mixed(self) -> list[Reading]:
        """What is mixed: the parts, or the one source. Their rows together are bounded by `limit`."""
        if self.source is None:
            return [
                Reading(
                    role="source",
                    source=part.source,
                    formatter=part.formatter,
                    split=part.split,
                    filters=self.filters + part.filters,
                    limit=part.limit,
                    part=part.name,
                    weight=part.weight,
                )
                for part in self.parts
            ]
        assert self.formatter is not None
        return [Reading("source", self.source, self.formatter, self.split, self.filters, None)]

    def held_out_whole(self) -> Iterator[Reading]:
        """The sources whose rows are all held out."""
        if self.held_out is not None:
            assert self.formatter is not None
            yield Reading("held_out", self.held_out, self.formatter, Split(), self.filters, self.held_out_limit)
        for part in self.parts:
            if part.held_out is not None:
                filters = self.filters + part.filters
                yield Reading(
                    "held_out", part.held_out, part.formatter, Split(), filters, self.held_out_limit, part.name
                )

    @property
    def holds_out(self) -> bool:
        """Whether any row is meant to be held out."""
        return any(self.held_out_whole()) or any(reading.split.held_out for reading in self.mixed())
