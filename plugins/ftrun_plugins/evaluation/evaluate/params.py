"""Parameters of the stage `evaluate`."""

from __future__ import annotations

from ftrun.api.recipe import Frozen, Gate


class Evaluation(Frozen):
    """Evaluation of the recipe, without its evaluator."""

    gate: Gate | None = None
    cluster: str | None = None  # column
    slices: tuple[str, ...] = ()  # columns, `length:prompt`, `length:reference` or `place:file`
    held_out: bool = True  # false if the scored rows are not the held-out rows of the dataset


class Params(Frozen):
    """Evaluations by name, in the order of the recipe."""

    evals: dict[str, Evaluation]
    group_columns: tuple[str, ...] = ()  # columns in which the dataset groups its rows
