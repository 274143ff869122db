"""`ftrun plan`: show what a recipe would run, what is cached, why the rest is not, and what the run needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from ftrun.api.backends import Estimate
from ftrun.api.stage_call import Plan, StageCall
from ftrun.cli.evaluation_power import find_power, power_lines
from ftrun.cli.trust_option import trust_option
from ftrun.planning.cache_miss import explain_miss
from ftrun.store.run_plan import read_plan_if_possible
from ftrun.store.runs import all_runs
from ftrun.utils.sizes import human_size
from ftrun.workflow.preflight import run_preflight
from ftrun.workflow.session import Session, open_session

MOST_UPLOADS = 5  # files shown by name
BYTES_PER_PARAMETER = 2  # weights are stored in 16 bits


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.option("--no-check", is_flag=True, help="Leave out the checks that import the trainer's packages.")
@trust_option
@click.argument("overrides", nargs=-1)
def plan(overrides: tuple[str, ...], as_json: bool, no_check: bool, trust: bool) -> int:
    """Show what a recipe would run and why, without running it.

    Lists each stage call as cached or to run, with its hardware and environment, and then the environments, disk space,
    secrets and money that the run needs. First runs the calls that only check the recipe, if their environment is
    installed; a run starts with those that are left.
    """
    session = open_session(overrides, trust)
    if not no_check:
        run_preflight(session)
    last = last_plan(session)
    print(json.dumps(as_values(session, last)) if as_json else "\n".join(lines(session, last)))
    return 0


def as_values(session: Session, last: Plan | None) -> dict[str, Any]:
    """Return the plan as JSON values, compared with the plan of an earlier run."""
    calls = [_describe_call(call, session, last) for call in session.plan.calls]
    estimate = asdict(session.estimate) if session.estimate else None
    power = find_power(session)
    return {
        "recipe": session.plan.recipe,
        "calls": calls,
        **_collect_needs(session),
        "estimate": estimate,
        "evaluation_power": asdict(power) if power else None,
    }


def last_plan(session: Session) -> Plan | None:
    """Return the plan of the last run of this recipe whose plan can be read, or None if there is no such run."""
    records = [record for record in all_runs(session.store) if record.recipe == session.plan.recipe]
    plans = (read_plan_if_possible(session.store.run(record.id)) for record in reversed(records))
    return next((plan for plan in plans if plan is not None), None)


def _describe_call(call: StageCall, session: Session, last: Plan | None) -> dict[str, Any]:
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


def _collect_needs(session: Session) -> dict[str, Any]:
    missing = session.missing
    names = sorted({call.environment.name for call in missing})
    parameters = session.loaded.recipe.model.parameters
    weight_calls = [call for call in missing if call.label in ("fetch:model", "merge")]
    return {
        "environments_to_build": [name for name in names if not session.backend.environment_ready(name)],
        "disk_bytes": int(len(weight_calls) * parameters * BYTES_PER_PARAMETER) if parameters else None,
        "secrets": sorted({secret for call in missing for secret in call.secrets}),
        "optional_secrets": sorted({secret for call in missing for secret in call.optional_secrets}),
        "store": session.backend.remote.place if session.backend.remote else str(session.store.root),
    }


def lines(session: Session, last: Plan | None) -> Iterator[str]:
    """Yield the plan as lines of text, compared with the plan of an earlier run."""
    calls = [_describe_call(call, session, last) for call in session.plan.calls]
    yield f"{session.plan.recipe} on {session.loaded.recipe.backend.name}"
    yield ""
    width = max(len(call["call"]) for call in calls)
    for call in calls:
        state = (
            "cached"
            if call["cached"]
            else f"to run  {call['hardware']:<6} {call['environment']:<8} {'; '.join(call['why'])}"
        )
        yield f"  {call['call']:<{width}}  {state}"
        if not call["cached"]:
            yield from (f"  {'':<{width}}    {note}" for note in call["notes"])
    needs = _collect_needs(session)
    to_run = sum(not call["cached"] for call in calls)
    yield ""
    yield f"{to_run} of {len(calls)} calls to run"
    if session.estimate is not None:
        yield from _format_costs(session.estimate)
    if needs["environments_to_build"]:
        yield f"environments to make first: {', '.join(needs['environments_to_build'])}"
    if needs["disk_bytes"]:
        yield f"disk for weights: about {human_size(needs['disk_bytes'])} in {needs['store']}"
    if needs["secrets"]:
        yield f"secrets needed: {', '.join(needs['secrets'])}"
    if needs["optional_secrets"]:
        yield f"secrets used if they are set: {', '.join(needs['optional_secrets'])}"
    if power := find_power(session):
        yield from power_lines(power)


def _format_costs(estimate: Estimate) -> Iterator[str]:
    """Yield time, price and cost of each call, the total cost, and the files to upload."""
    yield ""
    width = max((len(call.label) for call in estimate.calls), default=0)
    for call in estimate.calls:
        time = "time not known yet"
        if call.seconds:
            time = f"{_format_duration(call.seconds[0])} to {_format_duration(call.seconds[1])}"
        cost = f"${call.usd[0]:.2f} to ${call.usd[1]:.2f}" if call.usd else ""
        unknown = f"  no known price: {', '.join(call.unknown)}" if call.unknown else ""
        price = f"${call.price:.6f}/s"
        yield f"  {call.label:<{width}}  {call.hardware:<12} {price}  {time:<20} {cost}{unknown}".rstrip()
    high = f"to ${estimate.high:.2f}" if estimate.high is not None else "or more, because not all costs are known"
    yield f"cost: ${estimate.low:.2f} {high}, at prices of {estimate.prices}"
    for path, size in estimate.uploads[:MOST_UPLOADS]:
        yield f"to upload: {path}, {human_size(size)}"
    if more := estimate.uploads[MOST_UPLOADS:]:
        yield f"to upload: {len(more)} more files, {human_size(sum(size for _, size in more))}"


def _format_duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
