"""Dataset of a recipe: sources and how they are mixed, filters, and the split into train and held-out rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ftrun.api.base import Frozen, Json, PluginRef
from ftrun.utils.safe_regex import search

__all__ = ["Checks", "Dataset", "Filter", "MixPart", "Split", "Value"]


class Split(Frozen):
    """Shares of rows that are not trained on, chosen by a digest of their question or of their column `by`."""

    held_out: float = Field(default=0.0, ge=0, lt=1)
    """Share of the rows that is held out, from 0 to 1. 1 itself is not allowed."""
    validation: float = Field(default=0.0, ge=0, lt=1)
    """Share of the rows by which the trainer chooses: to stop early, or to keep the best checkpoint."""
    by: str | None = None
    """Name of a column. Rows with the same value in it stay on the same side of the split."""
    group: Literal["question", "example"] = "question"
    """Rows that stay on the same side without `by`: those with the same `question`, or only equal ones (`example`)."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    """Random seed of the choice. Another seed holds out other rows."""

    @model_validator(mode="after")
    def _check_shares(self) -> Self:
        if self.held_out + self.validation >= 1:
            raise ValueError(
                "`held_out` and `validation` that are less than 1 together, so that rows for training are left"
            )
        return self


def _check_pattern(pattern: str) -> str:
    try:
        search(pattern)
    except ValueError as error:
        raise ValueError(f"a valid pattern; the error in this one is: {error}") from None
    return pattern


Value = str | int | float | bool
CONDITIONS = (
    "equals", "one_of", "none_of", "not_empty", "min_characters", "max_characters", "matches", "min", "max", "distinct"
)  # fmt: skip


class Filter(Frozen):
    """Filter that keeps rows whose column meets one condition. It removes rows whose column is missing or null."""

    column: str | None = None
    """Name of the column. May be null only with `distinct`, which then compares whole rows."""
    equals: Value | None = None
    """Keep rows with this value. In CSV, a text that is a number equals the number."""
    one_of: tuple[Value, ...] | None = Field(default=None, min_length=1)
    """Keep rows with one of these values."""
    none_of: tuple[Value, ...] | None = Field(default=None, min_length=1)
    """Keep rows with a value other than these."""
    not_empty: Literal[True] | None = None
    """Keep rows whose value is neither a blank text nor an empty list or object."""
    min_characters: int | None = Field(default=None, ge=0)
    """Minimum length in characters of a text, or of all texts in a list or an object together."""
    max_characters: int | None = Field(default=None, ge=0)
    """Maximum length in characters of a text, or of all texts in a list or an object together."""
    matches: Annotated[str, Field(max_length=1000), AfterValidator(_check_pattern)] | None = None
    """Keep rows whose text contains a match of this regular expression. The syntax is that of Rust's `regex`."""
    min: float | None = None
    """Minimum of a number, or of a text that is a number."""
    max: float | None = None
    """Maximum of a number, or of a text that is a number."""
    distinct: Literal[True] | None = None
    """Keep only the first row with each value."""

    @model_validator(mode="after")
    def _check_condition(self) -> Self:
        conditions = [name for name in CONDITIONS if getattr(self, name) is not None]
        if len(conditions) != 1:
            raise ValueError(f"exactly one of {', '.join(CONDITIONS)}")
        if self.column is None and conditions != ["distinct"]:
            raise ValueError("`column` with the name of a column")
        return self

    @property
    def condition(self) -> str:
        """Name of the condition."""
        return next(name for name in CONDITIONS if getattr(self, name) is not None)

    def __str__(self) -> str:
        value = getattr(self, self.condition)
        is_flag = value is True and self.condition != "equals"
        text = "" if is_flag else f" {value:g}" if isinstance(value, float) else f" {value!r}"
        return f"{self.column or 'row'} {self.condition}{text[:60]}"


class Checks(Frozen):
    """Checks of the examples after the split."""

    overlap: Literal["report", "stop", "skip"] = "report"
    """Handling of held-out rows that training rows repeat: `report` lists them, `stop` ends the run."""


class MixPart(Frozen):
    """One of several sources that are mixed. It inherits from the dataset the settings that it does not set."""

    source: PluginRef
    """Source of the rows, with its options."""
    held_out: PluginRef | None = None
    """Source of held-out rows of this part. The part is then not split unless it sets `split`."""
    formatter: PluginRef | None = None
    """Formatter that turns the rows of this part into examples. Default: that of the dataset."""
    split: Split | None = None
    """Share of the rows of this part that is held out. Default: that of the dataset."""
    filters: tuple[Filter, ...] = ()
    """Filters for the rows of this part, applied after those of the dataset."""
    ignore_columns: tuple[str, ...] = ()
    """Columns of this part to drop before the rows are formatted, in addition to those of the dataset."""
    row_key: str | None = None
    """Column that holds the row, for rows that are nested in an object. Default: that of the dataset."""
    limit: int | None = Field(default=None, gt=0)
    """Maximum number of rows of this part, from the first one."""
    weight: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Share of this part in the mix, relative to the weights of the other parts."""


class Dataset(Frozen):
    """Source of the rows, formatter that turns them into examples, and split into train and held-out rows."""

    source: PluginRef | None = None
    """Source of the rows, with its options."""
    parts: dict[str, MixPart] = {}
    """Sources to mix, by names of your choice, in place of `source`."""
    stopping_strategy: Literal["first_exhausted", "all_exhausted"] = "first_exhausted"
    """End of a mix by weight: when the first part has no more rows, or when every part was read completely."""
    held_out: PluginRef | None = None
    """Source of held-out rows, in place of a split."""
    formatter: PluginRef | None = None
    """Formatter that turns rows into examples, with its options."""
    filters: tuple[Filter, ...] = ()
    """Filters for all rows, including those of held-out sources. They apply in this order."""
    ignore_columns: tuple[str, ...] = ()
    """Columns to drop before the rows are formatted. Filters, the split and evaluators still see them."""
    row_key: str | None = None
    """Column that holds the row, for rows that are nested in an object, as in `{"row": {…}}`."""
    shuffle: int | None = Field(default=None, ge=0, lt=2**63)
    """Random seed of the order of the rows. Default: the order of the source."""
    limit: int | None = Field(default=None, gt=0)
    """Maximum number of rows, from the first one. Applies after filters and shuffling and before the split."""
    held_out_limit: int | None = Field(default=None, gt=0)
    """Maximum number of rows of each `held_out` source. Default: `limit`."""
    split: Split = Split()
    """Share of the rows that is held out."""
    checks: Checks = Checks()
    """Checks of the examples after the split."""
    on_bad_row: Literal["stop", "skip"] = "stop"
    """Handling of a bad row: `stop` ends the run, `skip` writes the row to `rejected.jsonl` and continues."""
    max_cut: float = Field(default=0.02, ge=0, le=1)
    """Maximum share of rows that are longer than `sequence_len`, from 0 to 1. More of them end the run."""
    on_template_loss: Literal["report", "stop"] = "report"
    """Handling of texts of a row that the chat template leaves out: `report` counts them, `stop` ends the run."""
    on_prompt_mismatch: Literal["stop", "report"] = "stop"
    """Handling of prompts that a server would tokenize differently than in training."""
    untrained_end_of_turn: bool = False
    """Accept chat rows in which the end of the assistant's turn is not trained."""
    trainer: Json = {}
    """Keys of the dataset entry in the configuration of axolotl, such as `train_on_eos` and `roles_to_train`."""

    def sources(self) -> Iterator[PluginRef]:
        """Yield every source that the dataset reads."""
        owners: tuple[Dataset | MixPart, ...] = (self, *self.parts.values())
        for owner in owners:
            yield from (source for source in (owner.source, owner.held_out) if source)

    def held_out_sources(self) -> Iterator[PluginRef]:
        """Yield the sources whose rows are all held out."""
        sources = (self.held_out, *(part.held_out for part in self.parts.values()))
        yield from (source for source in sources if source)

    def split_of(self, part: MixPart) -> Split:
        """Return the split of a part. A part with a `held_out` source is not split unless it sets `split`."""
        return part.split or (self.split.model_copy(update={"held_out": 0.0}) if part.held_out else self.split)

    @property
    def holds_out(self) -> bool:
        """True if the dataset holds out rows, by a split or a source."""
        return any(self.held_out_sources()) or any(split.held_out for split in self._splits())

    @property
    def has_validation(self) -> bool:
        """True if the dataset has validation rows."""
        return any(split.validation for split in self._splits())

    def _splits(self) -> list[Split]:
        return [self.split_of(part) for part in self.parts.values()] if self.parts else [self.split]
