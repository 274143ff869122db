"""Sample of the held-out rows by their content. The first rows are no sample, because files are often sorted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ftrun.api.artifacts import FormattedRows
from ftrun.utils.digests import digest


def choose_rows(data: FormattedRows, rows: int | None, seed: int) -> set[int] | None:
    """Return the indexes of the sampled held-out examples, or None if all are chosen.

    A row stays in the sample if rows are added or removed, unless a new one takes its place.
    """
    if rows is None:
        return None
    return set(sample((dict(example) for example in data.examples("held_out")), rows, seed))


def sample(examples: Iterable[Mapping[str, Any]], rows: int, seed: int) -> list[int]:
    """Return the indexes of the examples whose digests with the seed are the smallest. Places do not count."""
    ranked = sorted((digest([seed, _content(example)]), index) for index, example in enumerate(examples))
    return sorted(index for _, index in ranked[:rows])


def _content(example: Mapping[str, Any]) -> str:
    return json.dumps({key: value for key, value in example.items() if key != "place"}, sort_keys=True)
