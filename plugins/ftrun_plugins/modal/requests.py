"""Messages between the client, the scheduler on Modal and the stage containers, as JSON values."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from ftrun.api.stage_call import Plan, StageCall
from ftrun.store.runs import RunRecord
from ftrun_plugins.modal.options import Options


class Message(BaseModel):
    """Request or answer of a function on Modal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def pack(self) -> dict[str, Any]:
        """Return the message as JSON values, to pass to a function or to return from it."""
        return self.model_dump(mode="json")


class StageRequest(Message):
    """One try of a stage call."""

    call: StageCall
    run: str
    generation: int  # of the claim on the key of the call, see `claims`
    volume: str
    claims: str
    most_tries: int  # without a new checkpoint


class StageAnswer(Message):
    """Result of a try: `done`, `failed`, `stopped`, or `superseded` by the function call that has the claim."""

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
    secrets: tuple[str, ...]  # ftrun's names of the secrets that exist in the workspace
    claims: str
    hours: float  # until the scheduler hands over to a successor
    submitted: tuple[dict[str, Any], ...] = ()  # events of the calls that the client submitted


def record_call(calls: dict[str, list[str]], label: str, call_id: str) -> bool:
    """Add a function call to its label in a record's `remote["calls"]`, and return whether it is new."""
    if call_id in calls.setdefault(label, []):
        return False
    calls[label].append(call_id)
    return True
