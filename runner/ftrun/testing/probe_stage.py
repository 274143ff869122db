"""Probe stage for the contract of backends, which performs the action in its parameters."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, ClassVar, Literal

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.recipe import Frozen
from ftrun.api.stage_call import CLIENT, EnvironmentRef, StageCall

if TYPE_CHECKING:
    from ftrun.api.context import StageContext

OUTPUT_FILE = "made.txt"
SECONDS = 60.0  # maximum duration of `wait`
Action = Literal["make", "refuse", "raise", "exit", "wait"]


class Params(Frozen):
    """Action of the stage, and the path of a file that gets a line for each attempt."""

    do: Action
    tries: str


class ProbeStage:
    """Stage that first writes an incomplete artifact, and then performs its action."""

    name: ClassVar[str] = "trial"

    def run(self, call: StageCall, context: StageContext) -> None:
        params = Params.model_validate(call.params)
        with open(params.tries, "a") as file:  # noqa: PTH123  (parameters are text)
            file.write("x\n")
        attempts = sum(1 for _ in open(params.tries))  # noqa: PTH123, SIM115
        (context.output / OUTPUT_FILE).write_text("half")
        context.report.event("ready")
        if attempts == 1 or params.do in ("refuse", "raise", "exit"):
            _perform(params.do, context)
        (context.output / OUTPUT_FILE).write_text("whole")
        context.report.metric(rows=3)


def _perform(action: Action, context: StageContext) -> None:
    match action:
        case "refuse":
            raise InvalidInput(Problem("bad-row", "row is bad", "rows.jsonl:3", hint="fix it"))
        case "raise":
            raise ValueError("boom")
        case "exit":
            os._exit(3)
        case "wait":
            deadline = time.monotonic() + SECONDS
            while time.monotonic() < deadline:
                time.sleep(0.05)


def probe_call(do: Action, tries: str) -> StageCall:
    """Return a call of the probe stage in the environment of the client."""
    return StageCall(
        stage=ProbeStage.name,
        version=1,
        params=Params(do=do, tries=tries).model_dump(mode="json"),
        environment=EnvironmentRef(name=CLIENT),
        label=ProbeStage.name,
        implementation=f"{ProbeStage.__module__}:{ProbeStage.__qualname__}",
    )
