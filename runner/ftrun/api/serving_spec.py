"""What a server of a run serves, and where it can be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ftrun.api.recipe import Frozen, Limits
from ftrun.api.stage_call import Ref

BASE, TUNED = "base", "tuned"  # the names by which models are asked for


class Serving(Frozen):
    """One model's weights in an engine, and at most one more model, which is asked for as `tuned`.

    That is an adapter over the weights, or, in an engine that takes none, whole weights beside them.
    """

    run: str
    engine: Literal["vllm", "transformers"] = "vllm"
    model: Ref
    name: str  # by which the weights themselves are asked for: `base` or `tuned`
    adapter: Ref | None = None
    merged: Ref | None = None
    rank: int = 0  # that the engine makes room for
    max_model_len: int | None = None  # tokens; null: what the model and the memory allow
    trust_remote_code: bool = False
    limits: Limits = Limits()
    note: str = ""  # what a user should know of the choice

    @property
    def models(self) -> list[Ref]:
        """The artifacts that the engine loads."""
        return [ref for ref in (self.model, self.adapter, self.merged) if ref is not None]

    @property
    def names(self) -> tuple[str, ...]:
        """The models that can be asked for."""
        return (self.name, TUNED) if self.adapter or self.merged else (self.name,)


@dataclass(frozen=True)
class Endpoint:
    """A server that can be asked."""

    run: str
    url: str  # without `/v1`
    key: str | None = None  # where it was made just now; it is kept nowhere
