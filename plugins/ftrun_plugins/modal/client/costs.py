"""What stage calls cost by the clock: prices a second, and the cost of a run from its events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ftrun.api.backends import CallEstimate, Estimate
from ftrun.api.events import Event, read
from ftrun.api.paths import RunFolder
from ftrun.api.stage_call import Plan, ResourceRequest, StageCall
from ftrun.store.runs import RunRecord
from ftrun_plugins.modal.gpus import choices
from ftrun_plugins.modal.options import Prices

HOUR = 3600.0
SHORTER, LONGER = 0.7, 1.5  # than the same call took before
START = 60.0  # seconds that a container may take to begin, at most as far as seen


@dataclass(frozen=True)
class Price:
    """US dollars a second; `unknown` names what the table has no price for."""

    low: float
    high: float
    unknown: tuple[str, ...] = ()


def price_of(work: ResourceRequest, prices: Prices) -> Price:
    """The price of a container: cores, memory, and the cheapest and dearest of the GPUs that it may get."""
    base, unknown = 0.0, []
    for what, amount, price in (("CPU", work.cpu, prices.cpu), ("memory", work.memory or 0.0, prices.memory)):
        if price is not None:
            base += amount * price
        elif amount:
            unknown.append(what)
    kinds = choices(list(work.gpu)) if work.gpus else []
    known = [prices.gpu[name] * count for name, count in kinds if name in prices.gpu]
    unknown += [name for name, _ in kinds if name not in prices.gpu]
    low, high = (min(known, default=0.0), max(known, default=0.0)) if not unknown or known else (0.0, 0.0)
    return Price((base + low) / HOUR, (base + high) / HOUR, tuple(unknown))


def estimate(
    calls: Sequence[StageCall], seconds: Mapping[str, float], prices: Prices, uploads: Sequence[tuple[str, int]]
) -> Estimate:
    """Costs of calls, from what the same calls took before; a call that never ran costs at least nothing."""
    found = tuple(_estimate(call, seconds.get(call.label), prices) for call in calls)
    known = [one.usd for one in found if one.usd is not None]
    whole = len(known) == len(found) and not any(one.unknown for one in found)
    low, high = sum(usd[0] for usd in known), sum(usd[1] for usd in known)
    return Estimate(found, round(low, 4), round(high, 4) if whole else None, prices.date, tuple(uploads))


def _estimate(call: StageCall, seconds: float | None, prices: Prices) -> CallEstimate:
    price = price_of(call.work, prices)
    hardware = " or ".join(call.work.gpu) if call.work.gpus else "CPU"
    if seconds is None:
        return CallEstimate(call.label, hardware, None, price.high, None, price.unknown)
    between = (seconds * SHORTER, seconds * LONGER + START)
    usd = (between[0] * price.low, between[1] * price.high)
    return CallEstimate(call.label, hardware, between, price.high, usd, price.unknown)


def price_run(record: RunRecord, plan: Plan, folder: RunFolder, prices: Prices) -> None:
    """Puts into the record what the calls of a run cost: the time that their containers worked, at the listed price.

    An order of preference counts at its dearest; queueing and the start of containers are not in it.
    """
    total = 0.0
    for call in plan.calls:
        seconds = worked_seconds(list(read(folder.events_of(call.label))))
        if not seconds:
            continue
        price = price_of(call.work, prices)
        cost = round(seconds * price.high, 4)
        total += cost
        if call.label in record.results:
            record.results[call.label] |= {"cost": cost, "billed_seconds": round(seconds, 1)}
            if price.unknown:
                record.results[call.label]["cost_without"] = list(price.unknown)
    record.cost = round(total, 4)


def worked_seconds(events: list[Event]) -> float:
    """Seconds between the first and the last sign of life of each try."""
    total, began, last = 0.0, None, 0.0
    for event in events:
        if event["kind"] == "call_started":
            total += last - began if began is not None else 0.0
            began = event["at"]
        last = event["at"]
    return total + (last - began if began is not None else 0.0)
