"""Check the numbers of a merged configuration against their ranges."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from ftrun.api.issues import Issue, KeyPath
from ftrun.utils.schema_messages import format_path, format_value
from ftrun_plugins.axolotl.config.key_ranges import RANGES

ANY_KEY, ITEM = "*", "[]"
_PART = re.compile(r"\[\]|[^.\[]+")
PATHS = {name: tuple(_PART.findall(name)) for name in RANGES}


def check_ranges(values: Mapping[str, object]) -> Iterator[Issue]:
    """Yield an issue for each number of a merged configuration that is outside its range."""
    for name, allowed in RANGES.items():
        for path, value in _find_values(values, PATHS[name]):
            number = _parse_number(value)
            if number is not None and not allowed.accepts(number):
                what = f"`{format_path(path)}` is {format_value(value)}, which {allowed.effect}"
                yield Issue("invalid-value", path, what, str(allowed))


def _find_values(value: object, parts: tuple[str, ...], path: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    """Yield the values at a path of `RANGES`, each with its own path."""
    if not parts:
        yield path, value
    elif parts[0] == ITEM:
        for index, item in enumerate(value if isinstance(value, (list, tuple)) else ()):
            yield from _find_values(item, parts[1:], (*path, index))
    elif isinstance(value, Mapping):
        for key in value if parts[0] == ANY_KEY else [parts[0]]:
            if key in value:
                yield from _find_values(value[key], parts[1:], (*path, key))


def _parse_number(value: object) -> float | None:
    """Return a value as axolotl reads it, including numbers in quotes. None if it is not a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except OverflowError:  # a whole number of more than 1,024 bits
        return math.copysign(math.inf, int(value))
    except ValueError:
        return None
