"""Who works on a key: entries of a Modal Dict, each of them written once.

A key is worked on in generations. Whoever puts `KEY#n` first may submit the n-th function call for it. The call's id is
put into `KEY#n/call` by whoever submitted it, and by its container before that does anything; a container that finds
another id there leaves. So a scheduler that is preempted between submitting and writing down what it submitted can
submit again without harm. Nobody sends heartbeats: whether a call lives is Modal's to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from ftrun.api.stage_call import Ref
from ftrun_plugins.modal.function_calls import is_alive
from ftrun_plugins.modal.retry import retry

CLIENT = "client-"


def of_client() -> str:
    """An owner for one submission from a user's machine, which nobody waits for: nothing says whether it lives."""
    return f"{CLIENT}{uuid4().hex}"


def is_scheduler(owner: str) -> bool:
    return not owner.startswith(CLIENT)


@dataclass(frozen=True)
class Claim:
    """One generation of a key: the scheduler that has it, and the function call that began it, once one has."""

    generation: int
    owner: str  # function call id of the scheduler, or what `of_client` made
    call: str | None


class Claims:
    """The claims on all keys of a store."""

    def __init__(self, name: str, environment: str | None = None) -> None:
        import modal

        self._entries: Any = modal.Dict.from_name(name, create_if_missing=True, environment_name=environment)

    def _get(self, name: str) -> Any:
        return retry(lambda: self._entries.get(name))

    def _put(self, name: str, value: Any, once: bool = False) -> bool:
        """Whether it was put. Of two tries of one put the second may find the first one's value: that counts as put."""
        if retry(lambda: self._entries.put(name, value, skip_if_exists=once)):
            return True
        return not once or self._get(name) == value

    def latest(self, ref: Ref) -> Claim | None:
        """The last generation of a key; None where nobody ever claimed it.

        All generations are read, so that none of them is dropped for not being used while a later one is.
        """
        found = None
        generation = 1
        while (owner := self._get(_name(ref, generation))) is not None:
            found = Claim(generation, owner, None)
            generation += 1
        if found is None:
            return None
        return Claim(found.generation, found.owner, self._get(f"{_name(ref, found.generation)}/call"))

    def take(self, ref: Ref, generation: int, owner: str) -> bool:
        """Whether this owner may submit the generation."""
        return self._put(_name(ref, generation), owner, once=True)

    def begin(self, ref: Ref, generation: int, call: str) -> str:
        """The function call that works on the generation: this one, unless another was put down before."""
        name = f"{_name(ref, generation)}/call"
        if self._put(name, call, once=True):
            return call
        return str(self._get(name))

    def rival(self, ref: Ref, generation: int) -> str | None:
        """The call that goes before this generation's, once that has begun; "" where a later generation is not begun.

        A call that waited long for its hardware may begin after somebody took its scheduler for dead and took the next
        generation. Each of the two puts its own entry first and then looks for the other's, so that never both go on.
        """
        if self._get(_name(ref, generation + 1)) is not None:
            return str(self._get(f"{_name(ref, generation + 1)}/call") or "")
        before = self._get(f"{_name(ref, generation - 1)}/call") if generation > 1 else None
        return str(before) if before is not None and is_alive(before) else None

    def count_try(self, ref: Ref, generation: int, step: int | None) -> int:
        """How often the generation was begun since it last got further than the checkpoint at `step`, this time too."""
        name = f"{_name(ref, generation)}/tries"
        before, last = self._get(name) or (0, None)
        tries = int(before) + 1 if last == step else 1
        self._put(name, (tries, step))
        return tries

    def leave(self, ref: Ref, generation: int) -> None:
        """Said by a container as the last thing: nothing of this generation is written any more."""
        self._put(f"{_name(ref, generation)}/left", True)

    def has_left(self, ref: Ref, generation: int) -> bool:
        """Whether nothing of a cancelled generation is written any more, or ever was."""
        name = _name(ref, generation)
        return bool(self._get(f"{name}/left")) or self._get(f"{name}/tries") is None

    def cancel(self, run: str) -> None:
        """Marks a run as cancelled, before its calls are."""
        self._put(f"cancelled/{run}", True)

    def allow(self, run: str) -> None:
        """Takes that mark away again."""
        retry(lambda: self._entries.pop(f"cancelled/{run}", None))

    def is_cancelled(self, run: str) -> bool:
        return bool(self._get(f"cancelled/{run}"))


def _name(ref: Ref, generation: int) -> str:
    return f"{ref}#{generation}"
