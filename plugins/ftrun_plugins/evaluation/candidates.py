"""The models that are evaluated, as inputs of stage calls."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ftrun.api.errors import Problem
from ftrun.api.serving_spec import BASE, TUNED

if TYPE_CHECKING:
    from ftrun.api.planner import CallRequest, Planner
    from ftrun.api.stage_call import StageCall
    from ftrun.api.stages import Stage

TOKENIZED = "tokenized"
NO_ROWS = Problem(
    "no-rows",
    "there are no held-out rows to evaluate",
    hint="set dataset.split.held_out or dataset.held_out, or leave the evaluations out",
)
ANSWERS = ("predictions", "answers", "pairs")  # what evaluators of answers need; others name what measures rows


@dataclass(frozen=True)
class Candidate:
    """A model to evaluate: the artifacts that make it, by the role they have in a call's inputs."""

    role: str
    inputs: Mapping[str, StageCall]


def candidates(planner: Planner) -> Iterator[Candidate]:
    """Yield the base model, and the tuned one if the recipe trains."""
    model, train, merged = (planner.find(label) for label in ("fetch:model", "train", "merge"))
    if model is None:
        return
    yield Candidate(BASE, {"model": model})
    if merged is not None:
        yield Candidate(TUNED, {"model": merged})
    elif train is not None and planner.trainer.adapter_layout(planner.trainer_config.values) is not None:
        yield Candidate(TUNED, {"model": model, "adapter": train})
    elif train is not None:
        yield Candidate(TUNED, {"model": train})


def is_needed(needs: Collection[str], planner: Planner) -> bool:
    """Return whether an evaluation of the recipe works on one of these: `predictions`, `loss`, …."""
    evaluations = planner.recipe.evals.values()
    return any(planner.registered("evaluator", one.evaluator).needs in needs for one in evaluations)


def calls_for_each(stage: Stage, planner: Planner, request: CallRequest, suffix: str = "") -> list[StageCall]:
    """Return the same call of `stage` for each model, labelled `stage:role`, or `stage:suffix:role`.

    The models are added to the inputs of the request. Without a GPU a call gets all cores.
    """
    on_gpu = planner.hardware(stage.name).accelerator == "gpu"
    return [
        planner.call(
            stage,
            replace(
                request,
                label=":".join(part for part in (stage.name, suffix, candidate.role) if part),
                inputs={**candidate.inputs, **request.inputs},
                cpu=1.0 if on_gpu else planner.cores,
                gpus=(request.gpus or 1) if on_gpu else 0,
            ),
        )
        for candidate in candidates(planner)
    ]


def template_input(planner: Planner) -> dict[str, StageCall]:
    """Return the input that has the chat template, if the recipe trains with another one than the model's own."""
    tokenized = planner.find("tokenize")
    own = planner.trainer.uses_own_template(planner.trainer_config.values)
    return {TOKENIZED: tokenized} if tokenized is not None and own else {}
