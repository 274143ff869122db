"""A stage that does what its parameters say: what the contract of backends runs."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, ClassVar, Literal

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.recipe import Frozen
from ftrun.api.stage_call import CLIENT, EnvironmentRef, StageCall

if TYPE_CHECKING:
    from ftrun.api.context import StageContext

MADE = "made.txt"
SECONDS = 60.0  # that `wait` waits at most
Deed = Literal["make", "refuse", "raise", "exit", "wait"]


class Params(Frozen):
    """What to do, and a file that gets a line for each try."""

    do: Deed
    tries: str


class ProbeStage:
    """Writes half of its artifact before it does anything else."""

    name: ClassVar[str] = "trial"

    def run(self, call: StageCall, context: StageContext) -> None:
        params = Params.model_validate(call.params)
        with open(params.tries, "a") as file:  # noqa: PTH123  (a text, as parameters are)
            file.write("x\n")
        tries = sum(1 for _ in open(params.tries))  # noqa: PTH123, SIM115
        (context.output / MADE).write_text("half")
        context.report.event("ready")
        if tries == 1 or params.do in ("refuse", "raise", "exit"):
            _do(params.do, context)
        (context.output / MADE).write_text("whole")
        context.report.metric(rows=3)


def _do(deed: Deed, context: StageContext) -> None:
    match deed:
        case "refuse":
            raise InvalidInput(Problem("bad-row", "row is bad", "rows.jsonl:3", hint="mend it"))
        case "raise":
            raise ValueError("boom")
        case "exit":
            os._exit(3)
        case "wait":
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                time.sleep(0.05)


def probe_call(do: Deed, tries: str) -> StageCall:
    """A call of the stage, in the client's environment."""
    return StageCall(
        stage=ProbeStage.name,
        version=1,
        params=Params(do=do, tries=tries).model_dump(mode="json"),
        environment=EnvironmentRef(name=CLIENT),
        label=ProbeStage.name,
        implementation=f"{ProbeStage.__module__}:{ProbeStage.__qualname__}",
    )
