"""Base classes of the options of plugins, and types of options that name columns of a row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

__all__ = [
    "NAMED_TWICE",
    "UNKNOWN_NAME",
    "Column",
    "ColumnOption",
    "FormatterOptions",
    "OptionalColumn",
    "Options",
]

# Type of the error for two options that name the same column. Its context has `other`, the other option, and `is_set`,
# which is true if the recipe sets the other option.
NAMED_TWICE = "named_twice"
# Type of the error for an option whose value is not a known name. Its context has `known`, the known names.
UNKNOWN_NAME = "unknown_name"


class Options(BaseModel):
    """Base class of the options of a plugin: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


@dataclass(frozen=True)
class ColumnOption:
    """Marker of an option whose value names an `item`. Two options of a formatter must not name the same item.

    Args:
        item: Kind of item that the option names. Options that name different kinds never conflict.
        optional: If true, another option that names the same item replaces the default by None.
    """

    item: str
    optional: bool = False


Column: TypeAlias = Annotated[str, ColumnOption("column")]
"""Name of a column that every row has."""

OptionalColumn: TypeAlias = Annotated[str | None, ColumnOption("column", optional=True)]
"""Name of a column that a row may lack. None: the formatter does not read such a column."""


class FormatterOptions(Options):
    """Base class of the options of a formatter. Two options of the types above must not name the same column.

    If a recipe sets two options to the same column, the second of them is an error. If a recipe sets an option to the
    default of an `OptionalColumn`, that default becomes None, because the column is in use.
    """

    @model_validator(mode="after")
    def _check_unique_columns(self) -> Self:
        self._drop_used_defaults()
        errors = [error for names in self._groups() for error in self._errors(names)]
        if errors:
            raise ValidationError.from_exception_data(type(self).__name__, errors)
        return self

    def declined_columns(self) -> Iterator[str]:
        """Yield the default columns of the options that are set to None."""
        for name, marker in _markers(type(self)):
            default = type(self).model_fields[name].default
            if marker.item == "column" and getattr(self, name) is None and isinstance(default, str):
                yield default

    def _drop_used_defaults(self) -> None:
        markers = dict(_markers(type(self)))
        used = {(marker.item, getattr(self, name)) for name, marker in markers.items() if name in self.model_fields_set}
        for name, marker in markers.items():
            is_default = marker.optional and name not in self.model_fields_set
            if is_default and (marker.item, getattr(self, name)) in used:
                object.__setattr__(self, name, None)  # the model is frozen once it is validated

    def _groups(self) -> list[list[str]]:
        """Return the options that name the same item, those with defaults first."""
        groups: dict[tuple[str, str], list[str]] = {}
        for name, marker in _markers(type(self)):
            value = getattr(self, name)
            if value is not None:
                groups.setdefault((marker.item, value), []).append(name)
        return [sorted(names, key=self.model_fields_set.__contains__) for names in groups.values()]

    def _errors(self, names: list[str]) -> Iterator[InitErrorDetails]:
        """Yield an error for each option but the first of those that name the same item."""
        first, *others = names
        is_set = first in self.model_fields_set
        text = "another {item}, because `{other}` has this value " + ("too" if is_set else "by default")
        for name in others:
            context = {"item": dict(_markers(type(self)))[name].item, "other": self._key(first), "is_set": is_set}
            error = PydanticCustomError(NAMED_TWICE, text, context)
            yield InitErrorDetails(type=error, loc=(self._key(name),), input=getattr(self, name))

    @classmethod
    def _key(cls, name: str) -> str:
        return cls.model_fields[name].alias or name


def _markers(cls: type[BaseModel]) -> Iterator[tuple[str, ColumnOption]]:
    """Yield the options of a model that name items, with their markers."""
    for name, field in cls.model_fields.items():
        yield from ((name, marker) for marker in field.metadata if isinstance(marker, ColumnOption))
