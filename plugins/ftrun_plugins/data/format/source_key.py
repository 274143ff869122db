"""Keys of sources in messages. Sources name their options as `dataset.source.OPTION`, wherever the recipe has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from ftrun.api.errors import InvalidInput
from ftrun_plugins.data.format.params import Role

KEY = "dataset.source."


def source_key(role: Role, part: str | None = None) -> str:
    """Return the key of a source in the recipe, such as `dataset.parts.sql.source`."""
    return f"dataset.parts.{part}.{role}" if part else f"dataset.{role}"


def with_source_key(hint: str | None, key: str) -> str | None:
    """Return a hint of a source with the key of the source in the recipe."""
    return hint and hint.replace(KEY, f"{key}.")


@contextmanager
def with_source_keys(key: str) -> Iterator[None]:
    """Put the key of the source into the hints of errors that the source raises."""
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput([replace(each, hint=with_source_key(each.hint, key)) for each in error.problems]) from error
