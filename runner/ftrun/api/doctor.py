"""Checks of `ftrun doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

__all__ = ["CheckResult", "DoctorCheck"]


@dataclass(frozen=True)
class CheckResult:
    """The result of a check.

    Args:
        what: The name of the thing that was checked.
        well: Whether it exists and works.
        detail: What was found, without secrets.
        needed: Whether the recipe cannot run without it. Then `ftrun doctor` fails if it is not well.
        hint: What the user can do about it.
    """

    what: str
    well: bool
    detail: str
    needed: bool = True
    hint: str | None = None


@dataclass(frozen=True)
class DoctorCheck:
    """A check that runs in a thread of its own and is abandoned after `seconds`.

    Results that it has yielded by then are shown. `needed` is used if there is no result.
    """

    name: str
    look: Callable[[], Iterable[CheckResult]]
    needed: bool = True
    seconds: float = 8.0
