"""Parameters of the stage `tokenize`."""

from __future__ import annotations

from typing import Any

from ftrun.api.recipe import Frozen


class Params(Frozen):
    """What tokenizing depends on: a listed subset of the trainer's keys, and the limits of the recipe."""

    trainer: dict[str, Any]
    dataset: dict[str, Any]  # keys of axolotl's dataset entry, e.g. train_on_eos
    trust_remote_code: bool
    max_cut: float
    untrained_end_of_turn: bool
    pack_held_out: bool  # then the held-out rows must fill at least one pack
