"""The recipe's dataset: sources, how they are mixed, which rows are kept, and which are held out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ftrun.api.base import Frozen, Json, PluginRef
from ftrun.utils.safe_regex import search


class Split(Frozen):
    """How many of the rows are held out, chosen by a digest of the row (or of its field `by`)."""

    held_out: float = Field(default=0.0, ge=0, lt=1)  # share of the rows, from 0 to 1
    by: str | None = None  # a column: rows with the same value in it stay on one side
    seed: int = 0  # another seed holds out other rows


def _compiles(pattern: str) -> str:
    try:
        search(pattern)
    except ValueError as error:
        raise ValueError(f"a pattern that can be read; of this one: {error}") from None
    return pattern


Value = str | int | float | bool
CONDITIONS = (
    "equals", "one_of", "none_of", "not_empty", "min_characters", "max_characters", "matches", "min", "max", "distinct"
)  # fmt: skip


class Filter(Frozen):
    """Keeps the rows whose column meets one condition. A row that lacks the column, or has null there, meets none."""

    column: str | None = None  # null only with `distinct`, which then compares whole rows
    equals: Value | None = None  # this value; in CSV a text that is a number equals the number
    one_of: tuple[Value, ...] | None = Field(default=None, min_length=1)  # any of these values
    none_of: tuple[Value, ...] | None = Field(default=None, min_length=1)  # any value but these
    not_empty: Literal[True] | None = None  # neither a blank text nor an empty list or object
    min_characters: int | None = Field(default=None, ge=0)  # of a text, or of all texts inside a list or an object
    max_characters: int | None = Field(default=None, ge=0)  # counted as for `min_characters`
    matches: Annotated[str, Field(max_length=1000), AfterValidator(_compiles)] | None = None  # anywhere in the text
    min: float | None = None  # a number, or a text that is one, of at least this
    max: float | None = None  # and of at most this
    distinct: Literal[True] | None = None  # the first row with each value

    @model_validator(mode="after")
    def _has_one_condition(self) -> Self:
        given = [name for name in CONDITIONS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"one condition, of {', '.join(CONDITIONS)}")
        if self.column is None and given != ["distinct"]:
            raise ValueError("`column`, the name of a column")
        return self

    @property
    def condition(self) -> str:
        """The name of its condition."""
        return next(name for name in CONDITIONS if getattr(self, name) is not None)

    def __str__(self) -> str:
        wanted = getattr(self, self.condition)
        flag = wanted is True and self.condition != "equals"
        shown = "" if flag else f" {wanted:g}" if isinstance(wanted, float) else f" {wanted!r}"
        return f"{self.column or 'row'} {self.condition}{shown[:60]}"


class MixPart(Frozen):
    """One of several sources that are mixed. What it does not say of its own is the dataset's."""

    source: PluginRef  # where its rows come from, by the name of a source
    held_out: PluginRef | None = None  # a source of held-out rows of its own
    formatter: PluginRef | None = None  # what makes examples of its rows; null: the dataset's
    split: Split | None = None  # how many of its rows are held out; null: as the dataset says
    filters: tuple[Filter, ...] = ()  # which of its rows are kept, after the dataset's filters
    limit: int | None = Field(default=None, gt=0)  # the first so many of its rows
    weight: float | None = Field(default=None, gt=0, allow_inf_nan=False)  # its share of the mix


class Dataset(Frozen):
    """Where rows come from, what makes examples of them, and which are held out."""

    source: PluginRef | None = None  # where rows come from, by the name of a source
    parts: dict[str, MixPart] = {}  # several sources that are mixed, by names of yours, in place of `source`
    stopping_strategy: Literal["first_exhausted", "all_exhausted"] = "first_exhausted"  # where a mix by weight ends
    held_out: PluginRef | None = None  # a source of its own for held-out rows, in place of a split
    formatter: PluginRef | None = None  # what makes examples of rows, by the name of a formatter
    filters: tuple[Filter, ...] = ()  # which rows are kept, those of held-out sources too; tried in this order
    shuffle: int | None = None  # a seed that rows are put into another order by; null keeps that of the source
    limit: int | None = Field(default=None, gt=0)  # the first so many rows, after all of that and before the split
    held_out_limit: int | None = Field(default=None, gt=0)  # and of each `held_out`; null: as many as `limit`
    split: Split = Split()  # how many rows are held out
    on_bad_row: Literal["stop", "skip"] = "stop"  # whether one ends the run, or is set aside in rejected.jsonl
    max_cut: float = Field(default=0.02, ge=0, le=1)  # share of rows that may be too long for `sequence_len`
    untrained_end_of_turn: bool = False  # accept chat rows whose end of turn is masked
    trainer: Json = {}  # keys of axolotl's dataset entry: train_on_eos, roles_to_train, …

    def sources(self) -> Iterator[PluginRef]:
        """Every source that is read."""
        owners: tuple[Dataset | MixPart, ...] = (self, *self.parts.values())
        for owner in owners:
            yield from (named for named in (owner.source, owner.held_out) if named)

    def held_out_sources(self) -> Iterator[PluginRef]:
        """The sources whose rows are all held out."""
        found = (self.held_out, *(part.held_out for part in self.parts.values()))
        yield from (named for named in found if named)

    def split_of(self, part: MixPart) -> Split:
        """A part with held-out rows of its own is not split, unless it says so itself."""
        return part.split or (Split() if part.held_out else self.split)

    @property
    def holds_out(self) -> bool:
        """Whether any row is meant to be held out."""
        splits = [self.split_of(part) for part in self.parts.values()] if self.parts else [self.split]
        return any(self.held_out_sources()) or any(split.held_out for split in splits)
