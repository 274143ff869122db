"""Checks of `ftrun doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

__all__ = ["CheckResult", "DoctorCheck"]


@dataclass(frozen=True)
class CheckResult:
    """Result of a check.

    Args:
        what: The name of the checked thing.
        well: True if the thing exists and works.
        detail: The finding, without secrets.
        needed: True if the recipe cannot run without the thing. Then `ftrun doctor` fails if `well` is false.
        hint: The next step for the user.
    """

    what: str
    well: bool
    detail: str
    needed: bool = True
    hint: str | None = None


@dataclass(frozen=True)
class DoctorCheck:
    """Check that runs in a separate thread and is abandoned after some seconds.

    Args:
        name: The name of the check.
        look: The function that yields the results. ftrun shows those that it yields before it is abandoned.
        needed: The value of `CheckResult.needed` if there is no result.
        seconds: The time limit.
    """

    name: str
    look: Callable[[], Iterable[CheckResult]]
    needed: bool = True
    seconds: float = 8.0
