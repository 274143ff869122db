"""Claims of function calls on keys, stored as entries of a Modal Dict that are written once.

The work on a key is numbered in generations. The owner that writes `KEY#n` first may submit the n-th function call for
the key. The owner writes the id of this call to `KEY#n/call`, and so does the container of the call before it does
anything else. A container that finds another id there exits. Therefore a scheduler that is preempted between submitting
a call and writing its id can submit again without harm. There are no heartbeats: Modal reports whether a call is alive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from ftrun.api.stage_call import Ref
from ftrun_plugins.modal.function_calls import is_alive
from ftrun_plugins.modal.retry import retry

CLIENT = "client-"


def make_client_owner() -> str:
    """Return a unique owner for one submission from a user's machine.

    Schedulers do not wait for this owner, because nothing reports whether it is alive.
    """
    return f"{CLIENT}{uuid4().hex}"


def is_scheduler(owner: str) -> bool:
    return not owner.startswith(CLIENT)


@dataclass(frozen=True)
class Claim:
    """One generation of a key, with its owner, and with its function call once that is known."""

    generation: int
    owner: str  # function call id of a scheduler, or a result of `make_client_owner`
    call: str | None


class Claims:
    """Claims on all keys of a store."""

    def __init__(self, name: str, environment: str | None = None) -> None:
        import modal

        self._entries: Any = modal.Dict.from_name(name, create_if_missing=True, environment_name=environment)

    def _get(self, name: str) -> Any:
        return retry(lambda: self._entries.get(name))

    def _put(self, name: str, value: Any, once: bool = False) -> bool:
        """Write an entry and return whether it has this value. With `once`, an existing entry is kept.

        If a write is retried, it may find the value that its first attempt wrote. This counts as written.
        """
        if retry(lambda: self._entries.put(name, value, skip_if_exists=once)):
            return True
        return not once or self._get(name) == value

    def latest(self, ref: Ref) -> Claim | None:
        """Return the last generation of a key, or None if the key was never claimed.

        Reads all generations. Modal drops entries that are not used, and an early one must not be dropped while a later
        one is in use.
        """
        claim = None
        generation = 1
        while (owner := self._get(_entry_name(ref, generation))) is not None:
            claim = Claim(generation, owner, None)
            generation += 1
        if claim is None:
            return None
        return Claim(claim.generation, claim.owner, self._get(f"{_entry_name(ref, claim.generation)}/call"))

    def acquire(self, ref: Ref, generation: int, owner: str) -> bool:
        """Claim a generation for an owner and return whether this owner may submit it."""
        return self._put(_entry_name(ref, generation), owner, once=True)

    def attach(self, ref: Ref, generation: int, call: str) -> str:
        """Attach a function call to a generation and return the call that works on it: this one or an earlier one."""
        name = f"{_entry_name(ref, generation)}/call"
        if self._put(name, call, once=True):
            return call
        return str(self._get(name))

    def competing_call(self, ref: Ref, generation: int) -> str | None:
        """Return the call that has precedence over the attached call of this generation, or None if there is none.

        The call of the next generation has precedence. The result is "" if that call is not attached yet. Otherwise the
        call of the previous generation has precedence while it is alive.

        A call that waits long for its hardware may start after its scheduler was considered dead and another scheduler
        acquired the next generation. Each of the two calls attaches itself first and then looks for the other call, so
        that they never both continue.
        """
        if self._get(_entry_name(ref, generation + 1)) is not None:
            return str(self._get(f"{_entry_name(ref, generation + 1)}/call") or "")
        previous = self._get(f"{_entry_name(ref, generation - 1)}/call") if generation > 1 else None
        return str(previous) if previous is not None and is_alive(previous) else None

    def count_try(self, ref: Ref, generation: int, step: int | None) -> int:
        """Count a start of a generation and return the number of starts since its last new checkpoint.

        Args:
            ref: The key.
            generation: The generation that starts.
            step: Step of the last checkpoint, or None. The count is 1 again if this differs from the previous start.
        """
        name = f"{_entry_name(ref, generation)}/tries"
        previous_tries, previous_step = self._get(name) or (0, None)
        tries = int(previous_tries) + 1 if previous_step == step else 1
        self._put(name, (tries, step))
        return tries

    def release(self, ref: Ref, generation: int) -> None:
        """Mark a generation as released. A container calls this last, after all its writes."""
        self._put(f"{_entry_name(ref, generation)}/left", True)

    def is_released(self, ref: Ref, generation: int) -> bool:
        """Return whether a cancelled generation has finished its writes, or never started."""
        name = _entry_name(ref, generation)
        return bool(self._get(f"{name}/left")) or self._get(f"{name}/tries") is None

    def mark_cancelled(self, run: str) -> None:
        """Mark a run as cancelled. Call this before its function calls are cancelled."""
        self._put(f"cancelled/{run}", True)

    def clear_cancelled(self, run: str) -> None:
        """Remove the mark that `mark_cancelled` sets."""
        retry(lambda: self._entries.pop(f"cancelled/{run}", None))

    def is_cancelled(self, run: str) -> bool:
        return bool(self._get(f"cancelled/{run}"))


def _entry_name(ref: Ref, generation: int) -> str:
    return f"{ref}#{generation}"
