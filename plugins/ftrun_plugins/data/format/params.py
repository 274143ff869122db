"""Parameters of the stage `format`: sources and formatters with their options, digests of input files, the split."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from ftrun.api.dataset import Filter, Split
from ftrun.api.sources import HubFiles

Role = Literal["source", "held_out"]
# Left out of the key if unset, so that recipes without these parameters have the same keys as before.
IN_KEY_IF_SET = (
    "limit",
    "held_out_limit",
    "parts",
    "stopping_strategy",
    "filters",
    "shuffle",
    "ignore_columns",
    "row_key",
    "overlap",
)


class Frozen(BaseModel):
    """Immutable model. Unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OutsideFile(Frozen):
    """File that a source reads: its name in the places of rows, and the digest of its content."""

    name: str
    sha256: str

    @property
    def download(self) -> str:
        """Role of the input that holds the downloaded file; used only if the file is a download."""
        return f"url:{self.sha256[:12]}"


class OutsideRepository(Frozen):
    """Files of a dataset on the Hugging Face hub, at a commit, that a source reads."""

    name: str
    repository: str
    commit: str
    patterns: tuple[str, ...]

    @property
    def download(self) -> str:
        """Role of the input that holds the downloaded files."""
        return f"hub:{HubFiles(self.repository, self.commit, self.patterns).digest}"


class SourcePart(Frozen):
    """Source by name. The options hold no paths, because the location of a file must not change the key."""

    name: str
    options: dict[str, Any]
    files: tuple[OutsideFile | OutsideRepository, ...]


class FormatterPart(Frozen):
    """Formatter by name, with its options."""

    name: str
    options: dict[str, Any]


class MixedPart(Frozen):
    """One of several sources that are mixed, with its own formatter, split and filters."""

    name: str
    source: SourcePart
    held_out: SourcePart | None
    formatter: FormatterPart
    split: Split
    filters: tuple[Filter, ...]
    ignore_columns: tuple[str, ...]  # sorted; those of the part alone
    row_key: str | None
    limit: int | None
    weight: float | None


@dataclass(frozen=True)
class Reading:
    """One source, and everything that is applied to its rows."""

    role: Role
    source: SourcePart
    formatter: FormatterPart
    split: Split
    filters: tuple[Filter, ...]
    ignore_columns: tuple[str, ...]
    row_key: str | None
    limit: int | None
    part: str | None = None
    weight: float | None = None


class Params(Frozen):
    """Parameters of the stage. Either `source` or `parts` is set."""

    source: SourcePart | None
    held_out: SourcePart | None
    formatter: FormatterPart | None  # for `source` and `held_out`
    split: Split
    on_bad_row: Literal["stop", "skip"]
    parts: tuple[MixedPart, ...] = ()  # sorted by name
    stopping_strategy: Literal["first_exhausted", "all_exhausted"] | None = None  # only for a mix by weight
    filters: tuple[Filter, ...] = ()
    ignore_columns: tuple[str, ...] = ()  # sorted
    row_key: str | None = None
    shuffle: int | None = None  # seed
    overlap: Literal["stop", "skip"] | None = None  # None: report
    limit: int | None = None  # rows
    held_out_limit: int | None = None

    @model_serializer(mode="wrap")
    def _omit_unset(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        return {
            name: value for name, value in values.items() if name not in IN_KEY_IF_SET or value not in (None, [], ())
        }

    def mixed(self) -> list[Reading]:
        """Return the sources that are mixed: all parts, or the one source. `limit` bounds their rows in total."""
        if self.source is None:
            return [
                Reading(
                    role="source",
                    source=part.source,
                    formatter=part.formatter,
                    split=part.split,
                    filters=self.filters + part.filters,
                    ignore_columns=self.ignore_columns + part.ignore_columns,
                    row_key=part.row_key,
                    limit=part.limit,
                    part=part.name,
                    weight=part.weight,
                )
                for part in self.parts
            ]
        assert self.formatter is not None
        return [
            Reading(
                "source", self.source, self.formatter, self.split, self.filters, self.ignore_columns, self.row_key, None
            )
        ]

    def held_out_whole(self) -> Iterator[Reading]:
        """Yield the sources of which all rows are held out."""
        if self.held_out is not None:
            assert self.formatter is not None
            yield Reading(
                "held_out",
                self.held_out,
                self.formatter,
                Split(),
                self.filters,
                self.ignore_columns,
                self.row_key,
                self.held_out_limit,
            )
        for part in self.parts:
            if part.held_out is not None:
                yield Reading(
                    "held_out",
                    part.held_out,
                    part.formatter,
                    Split(),
                    self.filters + part.filters,
                    self.ignore_columns + part.ignore_columns,
                    part.row_key,
                    self.held_out_limit,
                    part.name,
                )

    @property
    def groups_questions(self) -> bool:
        """True if a split keeps rows with the same question on one side."""
        splits = [reading.split for reading in self.mixed()]
        return any(
            split.held_out + split.validation and split.by is None and split.group == "question" for split in splits
        )

    @property
    def has_validation(self) -> bool:
        """True if the parameters ask for validation rows."""
        return any(reading.split.validation for reading in self.mixed())

    @property
    def holds_out(self) -> bool:
        """True if the parameters ask for held-out rows."""
        return any(self.held_out_whole()) or any(reading.split.held_out for reading in self.mixed())
