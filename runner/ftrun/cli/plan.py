"""`ftrun plan`: what a recipe would run, what is cached, why the rest is not, and what it needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from ftrun.api.backends import Estimate
from ftrun.api.stage_call import Plan, StageCall
from ftrun.cli.session import Session, open_session
from ftrun.execution.engine import read_plan
from ftrun.planning.cache_miss import explain_miss
from ftrun.store.runs import all_runs
from ftrun.utils.sizes import human_size

MOST_UPLOADS = 5  # shown by name
BYTES_A_PARAMETER = 2  # weights are stored in 16 bits


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.argument("overrides", nargs=-1)
def plan(overrides: tuple[str, ...], as_json: bool) -> int:
    """Shows the stages, what is cached and why the rest is not, environments, hardware, disk and secrets."""
    session = open_session(overrides)
    last = last_plan(session)
    print(json.dumps(as_values(session, last)) if as_json else "\n".join(lines(session, last)))
    return 0


def as_values(session: Session, last: Plan | None) -> dict[str, Any]:
    """A plan for programs, compared with that of an earlier run."""
    found = [_described(call, session, last) for call in session.plan.calls]
    estimate = asdict(session.estimate) if session.estimate else None
    return {"recipe": session.plan.recipe, "calls": found, **_needs(session), "estimate": estimate}


def last_plan(session: Session) -> Plan | None:
    """The plan of the last run of this recipe, to compare with."""
    records = [record for record in all_runs(session.store) if record.recipe == session.plan.recipe]
    return read_plan(session.store.run(records[-1].id)) if records else None


def _described(call: StageCall, session: Session, last: Plan | None) -> dict[str, Any]:
    cached = call.key in session.cached
    return {
        "call": call.label,
        "key": call.key,
        "cached": cached,
        "why": [] if cached else explain_miss(call, last),
        "environment": call.environment.name,
        "hardware": " or ".join(call.work.gpu) or (f"{call.work.gpus} GPU" if call.work.gpus else "CPU"),
        "notes": list(call.notes),
    }


def _needs(session: Session) -> dict[str, Any]:
    missing = session.missing
    names = sorted({call.environment.name for call in missing})
    parameters = session.loaded.recipe.model.parameters
    heavy = [call for call in missing if call.label in ("fetch:model", "merge")]
    return {
        "environments_to_build": [name for name in names if not session.backend.environment_ready(name)],
        "disk_bytes": int(len(heavy) * parameters * BYTES_A_PARAMETER) if parameters else None,
        "secrets": sorted({secret for call in missing for secret in call.secrets}),
        "optional_secrets": sorted({secret for call in missing for secret in call.optional_secrets}),
        "store": session.backend.remote.place if session.backend.remote else str(session.store.root),
    }


def lines(session: Session, last: Plan | None) -> Iterator[str]:
    """A plan for people, compared with that of an earlier run."""
    found = [_described(call, session, last) for call in session.plan.calls]
    yield f"{session.plan.recipe} on {session.loaded.recipe.backend.name}"
    yield ""
    width = max(len(one["call"]) for one in found)
    for one in found:
        state = (
            "cached"
            if one["cached"]
            else f"to run  {one['hardware']:<6} {one['environment']:<8} {'; '.join(one['why'])}"
        )
        yield f"  {one['call']:<{width}}  {state}"
        if not one["cached"]:
            yield from (f"  {'':<{width}}    {note}" for note in one["notes"])
    needs = _needs(session)
    to_run = sum(not one["cached"] for one in found)
    yield ""
    yield f"{to_run} of {len(found)} calls to run"
    if session.estimate is not None:
        yield from _costs(session.estimate)
    if needs["environments_to_build"]:
        yield f"environments to make first: {', '.join(needs['environments_to_build'])}"
    if needs["disk_bytes"]:
        yield f"disk for weights: about {human_size(needs['disk_bytes'])} in {needs['store']}"
    if needs["secrets"]:
        yield f"secrets needed: {', '.join(needs['secrets'])}"
    if needs["optional_secrets"]:
        yield f"secrets used where they are set: {', '.join(needs['optional_secrets'])}"


def _costs(estimate: Estimate) -> Iterator[str]:
    """Time, price and cost of each call, the sum, and what would be uploaded."""
    yield ""
    width = max((len(one.label) for one in estimate.calls), default=0)
    for one in estimate.calls:
        time = f"{_minutes(one.seconds[0])} to {_minutes(one.seconds[1])}" if one.seconds else "time not known yet"
        cost = f"${one.usd[0]:.2f} to ${one.usd[1]:.2f}" if one.usd else ""
        without = f"  no known price: {', '.join(one.unknown)}" if one.unknown else ""
        price = f"${one.price:.6f}/s"
        yield f"  {one.label:<{width}}  {one.hardware:<12} {price}  {time:<20} {cost}{without}".rstrip()
    high = f"to ${estimate.high:.2f}" if estimate.high is not None else "or more: not all can be known"
    yield f"cost: ${estimate.low:.2f} {high}, by prices of {estimate.prices}"
    for path, size in estimate.uploads[:MOST_UPLOADS]:
        yield f"to upload: {path}, {human_size(size)}"
    if more := estimate.uploads[MOST_UPLOADS:]:
        yield f"to upload: {len(more)} more files, {human_size(sum(size for _, size in more))}"


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
