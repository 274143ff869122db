"""What travels between the client, the scheduler on Modal and the stage containers: plain data, as JSON values."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from ftrun.api.stage_call import Plan, StageCall
from ftrun.store.runs import RunRecord
from ftrun_plugins.modal.options import Options


class Message(BaseModel):
    """A request or an answer; `packed` is what a function is called with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def packed(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class StageRequest(Message):
    """One try of a stage call."""

    call: StageCall
    run: str
    generation: int  # of the claim on the call's key, see `claims`
    volume: str
    claims: str
    most_tries: int  # without getting further


class StageAnswer(Message):
    """How it ended: `done`, `failed`, `stopped`, or `superseded` by the function call that has the claim."""

    status: str
    fault: str | None = None
    problems: tuple[dict[str, Any], ...] = ()
    superseded_by: str | None = None


class LaunchRequest(Message):
    """One run, for the scheduler on Modal."""

    record: RunRecord
    recipe: dict[str, Any]
    plan: Plan
    app: str
    options: Options
    secrets: tuple[str, ...]  # ftrun's names of those that are there
    claims: str
    hours: float  # after which the scheduler hands over to a successor
    submitted: tuple[dict[str, Any], ...] = ()  # events of the calls that the client has submitted itself


def note(calls: dict[str, list[str]], label: str, call_id: str) -> bool:
    """Adds a function call to those of its label in a record's `remote["calls"]`; whether it was new."""
    if call_id in calls.setdefault(label, []):
        return False
    calls[label].append(call_id)
    return True
