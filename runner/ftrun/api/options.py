"""Bases of plugins' options, and the types of options that name columns of a row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

NAMED_TWICE = "named_twice"  # type of the errors; their context has `other`, the other option, and `is_set`


class Options(BaseModel):
    """Base of every plugin's options: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class ColumnOption:
    """Mark an option whose value names one `item`; two options of a formatter may not name the same one.

    Args:
        item: Kind of thing that the option names. Options that name different kinds never conflict.
        optional: Whether the default gives way to another option that names the same thing.
    """

    item: str
    optional: bool = False


Column: TypeAlias = Annotated[str, ColumnOption("column")]
"""Name of a column that every row has."""

OptionalColumn: TypeAlias = Annotated[str | None, ColumnOption("column", optional=True)]
"""Name of a column that a row may lack. None: no row has it."""


class FormatterOptions(Options):
    """Base of a formatter's options. No two options of the types above name the same column.

    Two options that a recipe sets to one column are an error at the second of them. If a recipe sets an option to the
    default of an `OptionalColumn`, that default becomes None: the column is taken.
    """

    @model_validator(mode="after")
    def _name_each_column_once(self) -> Self:
        self._drop_taken_defaults()
        errors = [error for names in self._groups() for error in self._errors(names)]
        if errors:
            raise ValidationError.from_exception_data(type(self).__name__, errors)
        return self

    def _drop_taken_defaults(self) -> None:
        marks = dict(_marked(type(self)))
        taken = {(mark.item, getattr(self, name)) for name, mark in marks.items() if name in self.model_fields_set}
        for name, mark in marks.items():
            is_default = mark.optional and name not in self.model_fields_set
            if is_default and (mark.item, getattr(self, name)) in taken:
                object.__setattr__(self, name, None)  # the model is frozen once it is validated

    def _groups(self) -> list[list[str]]:
        """Return the options that name the same thing, defaults first."""
        found: dict[tuple[str, str], list[str]] = {}
        for name, mark in _marked(type(self)):
            value = getattr(self, name)
            if value is not None:
                found.setdefault((mark.item, value), []).append(name)
        return [sorted(names, key=self.model_fields_set.__contains__) for names in found.values()]

    def _errors(self, names: list[str]) -> Iterator[InitErrorDetails]:
        """Yield an error at each option but the first of those that name the same thing."""
        first, *others = names
        is_set = first in self.model_fields_set
        text = "a {item} of its own; `{other}` names it " + ("too" if is_set else "by default")
        for name in others:
            context = {"item": dict(_marked(type(self)))[name].item, "other": self._key(first), "is_set": is_set}
            error = PydanticCustomError(NAMED_TWICE, text, context)
            yield InitErrorDetails(type=error, loc=(self._key(name),), input=getattr(self, name))

    @classmethod
    def _key(cls, name: str) -> str:
        return cls.model_fields[name].alias or name


def _marked(cls: type[BaseModel]) -> Iterator[tuple[str, ColumnOption]]:
    for name, field in cls.model_fields.items():
        yield from ((name, mark) for mark in field.metadata if isinstance(mark, ColumnOption))
