"""`ftrun plan`: what a recipe would run, what is cached, why the rest is not, and what it needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from ftrun.cli.session import Session, open_session
from ftrun.execute.run import read_plan
from ftrun.plan.call import Plan, StageCall
from ftrun.plan.explain import reasons
from ftrun.store.files import human_size
from ftrun.store.runs import all_runs

BYTES_A_PARAMETER = 2  # weights are stored in 16 bits


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.argument("overrides", nargs=-1)
def plan(overrides: tuple[str, ...], as_json: bool) -> int:
    """Shows the stages, what is cached and why the rest is not, environments, hardware, disk and secrets."""
    session = open_session(overrides)
    last = last_plan(session)
    found = [_described(call, session, last) for call in session.plan.calls]
    if as_json:
        print(json.dumps({"recipe": session.plan.recipe, "calls": found, **_needs(session)}))
    else:
        print("\n".join(_lines(found, session)))
    return 0


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
        "why": [] if cached else reasons(call, last),
        "environment": call.environment.name,
        "hardware": f"{call.work.gpus} GPU" if call.work.gpus else "CPU",
        "notes": list(call.notes),
    }


def _needs(session: Session) -> dict[str, Any]:
    missing = [call for call in session.plan.calls if call.key not in session.cached]
    names = sorted({call.environment.name for call in missing})
    parameters = session.loaded.recipe.model.parameters
    heavy = [call for call in missing if call.label in ("fetch:model", "merge")]
    return {
        "environments_to_build": [name for name in names if not session.backend.environment_ready(name)],
        "disk_bytes": int(len(heavy) * parameters * BYTES_A_PARAMETER) if parameters else None,
        "secrets": sorted({secret for call in missing for secret in call.secrets}),
        "store": str(session.store.root),
    }


def _lines(found: list[dict[str, Any]], session: Session) -> Iterator[str]:
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
    if needs["environments_to_build"]:
        yield f"environments to make first: {', '.join(needs['environments_to_build'])}"
    if needs["disk_bytes"]:
        yield f"disk for weights: about {human_size(needs['disk_bytes'])} in {needs['store']}"
    if needs["secrets"]:
        yield f"secrets read from the environment: {', '.join(needs['secrets'])}"
