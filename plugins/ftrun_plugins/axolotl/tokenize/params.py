"""Parameters of the stage `tokenize`."""

from __future__ import annotations

from typing import Any, Literal

from ftrun.api.artifacts import Split
from ftrun.api.recipe import Frozen


class Params(Frozen):
    """Values that change the result: the trainer keys that the stage reads, and limits of the recipe."""

    trainer: dict[str, Any]
    dataset: dict[str, Any]  # keys of axolotl's dataset entry, e.g. train_on_eos
    trust_remote_code: bool
    max_cut: float
    untrained_end_of_turn: bool
    on_template_loss: Literal["report", "stop"]
    on_prompt_mismatch: Literal["stop", "report"]
    packed_split: Split | None  # of the trainer's evaluations, if they pack rows: it must fill at least one pack
