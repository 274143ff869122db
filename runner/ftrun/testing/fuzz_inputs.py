"""Rows and texts that no one wrote on purpose: what a part has to take without falling over."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# The same examples each time, and no folder beside the tests; one method serves every class that inherits it.
QUIETLY = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=100,
    suppress_health_check=list(HealthCheck),
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
# In place of a right value: what data files hold where somebody did not look.
ODD: tuple[Any, ...] = (None, True, 7, -0.5, "", " \n", "\x00", "x" * 5000, [], {}, [[]], [{}], {"a": [None]}, ["x", 1])


def rows(samples: Sequence[Mapping[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Rows of junk under the samples' columns, and samples with one thing in them, at any depth, replaced or gone."""
    columns = sorted({column for sample in samples for column in sample})
    names = st.sampled_from(columns) | st.text(max_size=8) if columns else st.text(max_size=8)
    return st.dictionaries(names, JSON, max_size=4) | st.sampled_from(list(samples)).flatmap(_damaged)


def _damaged(sample: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        _with, st.just(sample), st.sampled_from(list(paths(dict(sample)))), st.booleans(), JSON | st.sampled_from(ODD)
    )


def _with(sample: Mapping[str, Any], path: tuple[Any, ...], goes: bool, value: Any) -> dict[str, Any]:
    changed: dict[str, Any] = without(sample, path) if goes else replaced(sample, path, value)
    return changed


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where each value of a JSON value is, containers too."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, inner in items:
        yield from paths(inner, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy of a JSON value with another one at a path."""
    changed = copy.deepcopy(value)
    at(changed, path[:-1])[path[-1]] = new
    return changed


def without(value: Any, path: tuple[Any, ...]) -> Any:
    """A copy of a JSON value that lacks what is at a path."""
    changed = copy.deepcopy(value)
    del at(changed, path[:-1])[path[-1]]
    return changed


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def perturbed(value: Any) -> Any:
    """Another value of about the same type."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return value + "x"
        case None:
            return "set"
        case list():
            return [*value, "more"]
        case dict():
            return {**value, "more": 1}
    raise AssertionError(f"no JSON value: {value!r}")
