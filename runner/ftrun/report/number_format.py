"""Human-readable formats of numbers, durations and times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any


def duration(seconds: float) -> str:
    """Format a duration in seconds as `4.2 s`, `12 s`, `6m35s` or `2h05m`."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{whole % 60:02}s"


def local_time(timestamp: float) -> str:
    """Format a time in seconds since 1970 in the time zone of this machine, with the zone."""
    return datetime.fromtimestamp(timestamp).astimezone().strftime("%Y-%m-%d %H:%M %Z")


def number(value: Any, sign: bool = False) -> str:
    """Format integers with commas, other numbers with three decimals, and numbers below 0.01 with three digits.

    With `sign`, positive numbers begin with `+`. Values that are not numbers are converted to text.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    plus = "+" if sign else ""
    if isinstance(value, int):
        return format(value, f"{plus},")
    return format(value, f"{plus},.3g" if 0 < abs(value) < 0.01 else f"{plus},.3f")


def metrics(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the scalar metrics of a call, formatted as `rows 1,000`."""
    for name, value in values.items():
        if isinstance(value, (int, float, str)):
            yield (
                f"{name.replace('_', ' ')} {value:,}" if isinstance(value, int) else f"{name.replace('_', ' ')} {value}"
            )
