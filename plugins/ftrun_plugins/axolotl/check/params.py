"""Parameters of the stage `check`."""

from __future__ import annotations

from ftrun.api.recipe import Frozen
from ftrun_plugins.axolotl.train.params import Params as TrainParams


class Params(Frozen):
    """The training to check, and what its checks and messages need in addition."""

    training: TrainParams
    splits: tuple[str, ...]  # splits that have rows
    gpus: tuple[str, ...]  # kinds of GPU that the training may get
    origins: dict[str, str]  # for each trainer key, the path in the recipe that sets it
