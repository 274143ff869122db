"""Gain that the held-out rows of a plan can show, before anything is paid for.

The scores do not exist yet, so this is the formula for a paired comparison with a normal distribution. The result of an
evaluation has the value that follows from its scores.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

from ftrun.store.artifacts import find
from ftrun.workflow.session import Session

FEWEST_ROWS = 20  # an evaluation of fewer rows has no verdict
DIFFERING = 0.25  # assumed share of rows with another score; a model that hardly changes differs in fewer
QUANTILES = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(0.8)


@dataclass(frozen=True)
class Power:
    """Smallest gains that `rows` rows show with a probability of 80 %: of a rate, and in standard deviations."""

    rows: int
    rate: float
    deviations: float


def find_power(session: Session) -> Power | None:
    """Return what the held-out rows can show. None if there is no evaluation, or if their number is not known yet."""
    data = next((call for call in session.plan.calls if call.label == "format"), None)
    if data is None or not any(call.label == "evaluate" for call in session.plan.calls):
        return None
    manifest = find(session.store, data.ref)
    rows = manifest.metrics.get("held_out") if manifest else None
    if not isinstance(rows, int) or rows < 1:
        return None
    return compute_power(min(rows, session.loaded.recipe.generate.rows or rows))


def compute_power(rows: int) -> Power:
    """Return what independent rows can show."""
    deviations = QUANTILES / math.sqrt(rows)
    rate = deviations * math.sqrt(DIFFERING)
    if rate > DIFFERING:  # then every difference is a win, and a larger share of rows differs
        rate = min(1.0, QUANTILES**2 / rows)
    return Power(rows, round(rate, 4), round(deviations, 4))


def power_lines(power: Power) -> Iterator[str]:
    """Yield what the rows can show, as text."""
    if power.rows < FEWEST_ROWS:
        yield f"{power.rows} held-out rows give no verdict: at least {FEWEST_ROWS} are needed"
        return
    yield f"{power.rows:,} held-out rows show with a probability of 80 %, if they are independent:"
    yield f"  a gain of {power.rate:.2g} in a score of 0 or 1, if the models differ in a quarter of the rows"
    yield f"  a gain of {power.deviations:.2g} standard deviations of the differences in other scores"
