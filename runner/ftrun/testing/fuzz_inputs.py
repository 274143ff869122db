"""Random and unusual inputs, which components must handle without an exception."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# The same inputs in each run, and no database folder. Health checks are off because classes share inherited methods.
SETTINGS = settings(
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
# Wrong values as they occur in real data files.
ODD_VALUES: tuple[Any, ...] = (
    None, True, 7, -0.5, "", " \n", "\x00", "x" * 5000, [], {}, [[]], [{}], {"a": [None]}, ["x", 1],
)  # fmt: skip


def rows(samples: Sequence[Mapping[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for rows: random values in the columns of the samples, and damaged samples.

    A damaged sample has one value at any depth replaced or removed.
    """
    columns = sorted({column for sample in samples for column in sample})
    names = st.sampled_from(columns) | st.text(max_size=8) if columns else st.text(max_size=8)
    return st.dictionaries(names, JSON, max_size=4) | st.sampled_from(list(samples)).flatmap(_damage)


def _damage(sample: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        _change,
        st.just(sample),
        st.sampled_from(list(paths(dict(sample)))),
        st.booleans(),
        JSON | st.sampled_from(ODD_VALUES),
    )


def _change(sample: Mapping[str, Any], path: tuple[Any, ...], is_removed: bool, value: Any) -> dict[str, Any]:
    changed: dict[str, Any] = remove(sample, path) if is_removed else replace(sample, path, value)
    return changed


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each value in a JSON value, including containers."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, inner in items:
        yield from paths(inner, (*path, key))


def replace(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a copy of a JSON value with a new value at a path."""
    changed = copy.deepcopy(value)
    get(changed, path[:-1])[path[-1]] = new
    return changed


def remove(value: Any, path: tuple[Any, ...]) -> Any:
    """Return a copy of a JSON value without the value at a path."""
    changed = copy.deepcopy(value)
    del get(changed, path[:-1])[path[-1]]
    return changed


def get(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def perturb(value: Any) -> Any:
    """Return a different value of a similar type."""
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
    raise AssertionError(f"not a JSON value: {value!r}")
