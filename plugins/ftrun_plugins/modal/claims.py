"""Who works on a key: entries of a Modal Dict, each of them written once.

A key is worked on in generations. Whoever puts `KEY#n` first may submit the n-th function call for it; the container of
that call puts `KEY#n/call` with its own id before it does anything, and leaves if another was faster. So a scheduler
that is preempted between submitting and writing down what it submitted can submit again without harm. Nobody sends
heartbeats: whether a call lives is Modal's to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ftrun.plan.call import Ref


@dataclass(frozen=True)
class Claim:
    """One generation of a key: the scheduler that has it, and the function call that began it, once one has."""

    generation: int
    owner: str  # function call id of the scheduler
    call: str | None


class Claims:
    """The claims on all keys of a store."""

    def __init__(self, name: str) -> None:
        import modal

        self._entries: Any = modal.Dict.from_name(name, create_if_missing=True)

    def latest(self, ref: Ref) -> Claim | None:
        """The last generation of a key; None where nobody ever claimed it.

        All generations are read, so that none of them is dropped for not being used while a later one is.
        """
        found = None
        generation = 1
        while (owner := self._entries.get(_name(ref, generation))) is not None:
            found = Claim(generation, owner, None)
            generation += 1
        if found is None:
            return None
        return Claim(found.generation, found.owner, self._entries.get(f"{_name(ref, found.generation)}/call"))

    def take(self, ref: Ref, generation: int, owner: str) -> bool:
        """Whether this scheduler may submit the generation."""
        return bool(self._entries.put(_name(ref, generation), owner, skip_if_exists=True))

    def begin(self, ref: Ref, generation: int, call: str) -> str:
        """The function call that works on the generation: this one, unless another began it before."""
        name = f"{_name(ref, generation)}/call"
        if self._entries.put(name, call, skip_if_exists=True):
            return call
        return str(self._entries.get(name))

    def leave(self, ref: Ref, generation: int) -> None:
        """Said by a container as the last thing: nothing of this generation is written any more."""
        self._entries.put(f"{_name(ref, generation)}/left", True)

    def has_left(self, ref: Ref, generation: int) -> bool:
        return bool(self._entries.get(f"{_name(ref, generation)}/left"))

    def cancel(self, run: str) -> None:
        """Marks a run as cancelled, before its calls are."""
        self._entries.put(f"cancelled/{run}", True)

    def allow(self, run: str) -> None:
        """Takes that mark away again."""
        self._entries.pop(f"cancelled/{run}", None)

    def is_cancelled(self, run: str) -> bool:
        return bool(self._entries.get(f"cancelled/{run}"))


def _name(ref: Ref, generation: int) -> str:
    return f"{ref}#{generation}"
