"""All that the stage `format` depends on: its parts with their options, the digests of what they read, the split."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from ftrun.recipe.types import Split

Role = Literal["source", "held_out"]
IN_KEY_WHERE_SET = ("limit", "held_out_limit")  # recipes that know nothing of them keep their keys


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


class SourcePart(Frozen):
    """A source by name. Its options hold no folder: where a file lies changes nothing."""

    name: str
    options: dict[str, Any]
    files: tuple[OutsideFile, ...]


class FormatterPart(Frozen):
    """A formatter by name, with its options."""

    name: str
    options: dict[str, Any]


class Params(Frozen):
    """The parameters of the stage."""

    source: SourcePart
    held_out: SourcePart | None
    formatter: FormatterPart
    split: Split
    on_bad_row: Literal["stop", "skip"]
    limit: int | None = None  # rows
    held_out_limit: int | None = None

    @model_serializer(mode="wrap")
    def _without_what_is_unset(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        return {name: value for name, value in values.items() if value is not None or name not in IN_KEY_WHERE_SET}

    def limit_of(self, role: Role) -> int | None:
        """How many rows are read at most; None is all."""
        return self.limit if role == "source" else self.held_out_limit

    def sources(self) -> Iterator[tuple[Role, SourcePart]]:
        """The sources in the order in which they are read."""
        yield "source", self.source
        if self.held_out is not None:
            yield "held_out", self.held_out
