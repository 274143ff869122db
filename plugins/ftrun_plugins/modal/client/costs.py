"""Costs of stage calls by time: prices per second, estimates, and the cost of a run from its events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ftrun.api.backends import CallEstimate, Estimate
from ftrun.api.events import Event, read
from ftrun.api.paths import RunFolder
from ftrun.api.stage_call import Plan, ResourceRequest, StageCall
from ftrun.store.runs import RunRecord
from ftrun_plugins.modal.gpus import parse_gpus
from ftrun_plugins.modal.options import Prices

HOUR = 3600.0
MIN_FACTOR, MAX_FACTOR = 0.7, 1.5  # of the time that the same call took before
START_SECONDS = 60.0  # of a container, the longest as measured


@dataclass(frozen=True)
class Price:
    """Price in US dollars per second. `unknown` names the items without a listed price."""

    low: float
    high: float
    unknown: tuple[str, ...] = ()


def price_of(work: ResourceRequest, prices: Prices) -> Price:
    """Return the price of a container: cores, memory, and the cheapest and most expensive of its possible GPUs."""
    base, unknown = 0.0, []
    for item, amount, price in (("CPU", work.cpu, prices.cpu), ("memory", work.memory or 0.0, prices.memory)):
        if price is not None:
            base += amount * price
        elif amount:
            unknown.append(item)
    kinds = parse_gpus(list(work.gpu)) if work.gpus else []
    known = [prices.gpu[name] * count for name, count in kinds if name in prices.gpu]
    unknown += [name for name, _ in kinds if name not in prices.gpu]
    low, high = (min(known, default=0.0), max(known, default=0.0)) if not unknown or known else (0.0, 0.0)
    return Price((base + low) / HOUR, (base + high) / HOUR, tuple(unknown))


def estimate(
    calls: Sequence[StageCall], seconds: Mapping[str, float], prices: Prices, uploads: Sequence[tuple[str, int]]
) -> Estimate:
    """Estimate the costs of calls from the seconds of their earlier runs, by label.

    A call that never ran adds nothing to the lower bound, and there is no upper bound then.
    """
    estimates = tuple(_estimate(call, seconds.get(call.label), prices) for call in calls)
    known = [item.usd for item in estimates if item.usd is not None]
    is_complete = len(known) == len(estimates) and not any(item.unknown for item in estimates)
    low, high = sum(usd[0] for usd in known), sum(usd[1] for usd in known)
    return Estimate(estimates, round(low, 4), round(high, 4) if is_complete else None, prices.date, tuple(uploads))


def _estimate(call: StageCall, seconds: float | None, prices: Prices) -> CallEstimate:
    price = price_of(call.work, prices)
    hardware = " or ".join(call.work.gpu) if call.work.gpus else "CPU"
    if seconds is None:
        return CallEstimate(call.label, hardware, None, price.high, None, price.unknown)
    seconds_range = (seconds * MIN_FACTOR, seconds * MAX_FACTOR + START_SECONDS)
    usd = (seconds_range[0] * price.low, seconds_range[1] * price.high)
    return CallEstimate(call.label, hardware, seconds_range, price.high, usd, price.unknown)


def price_run(record: RunRecord, plan: Plan, folder: RunFolder, prices: Prices) -> None:
    """Write the costs of a run's calls into its record: the time that their containers worked, at the listed price.

    Of alternative GPUs the most expensive one counts. Queueing and the start of containers are not included.
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
    """Return the seconds between the first and the last event of each try, in total."""
    total, start, last = 0.0, None, 0.0
    for event in events:
        if event["kind"] == "call_started":
            total += last - start if start is not None else 0.0
            start = event["at"]
        last = event["at"]
    return total + (last - start if start is not None else 0.0)
