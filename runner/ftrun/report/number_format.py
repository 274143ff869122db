"""Numbers and times as people read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any


def duration(seconds: float) -> str:
    """`4.2 s`, `12 s`, `6m35s`, `2h05m`."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{whole % 60:02}s"


def moment(at: float) -> str:
    """A time in the zone of the machine that says it, with the zone."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M %Z")


def number(value: Any, sign: bool = False) -> str:
    """Whole numbers with commas, others with three decimals or, where they are small, three digits."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    plus = "+" if sign else ""
    if isinstance(value, int):
        return format(value, f"{plus},")
    return format(value, f"{plus},.3g" if 0 < abs(value) < 0.01 else f"{plus},.3f")


def metrics(values: Mapping[str, Any]) -> Iterator[str]:
    """The plain ones of a call's metrics, as `rows 1,000`."""
    for name, value in values.items():
        if isinstance(value, (int, float, str)):
            yield (
                f"{name.replace('_', ' ')} {value:,}" if isinstance(value, int) else f"{name.replace('_', ' ')} {value}"
            )
