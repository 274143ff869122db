"""Models to evaluate, as inputs of stage calls."""

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
    hint="set dataset.split.held_out or dataset.held_out, or remove the evaluations",
)
ANSWERS = ("predictions", "answers", "pairs")  # inputs of evaluators that score answers


@dataclass(frozen=True)
class Candidate:
    """Model to evaluate. `inputs` are the artifacts that it consists of, by their role in the inputs of a call."""

    role: str
    inputs: Mapping[str, StageCall]


def candidates(planner: Planner) -> Iterator[Candidate]:
    """Yield the base model, and the tuned model if the recipe trains."""
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
    """Return whether an evaluation of the recipe needs one of these inputs, such as `predictions` or `loss`."""
    evaluations = planner.recipe.evals.values()
    return any(planner.registered("evaluator", evaluation.evaluator).needs in needs for evaluation in evaluations)


def plan_candidate_calls(stage: Stage, planner: Planner, request: CallRequest, suffix: str = "") -> list[StageCall]:
    """Plan one call of `stage` per model, with the label `stage:role` or `stage:suffix:role`.

    Adds the artifacts of the model to the inputs of the request. Without a GPU, a call gets all cores.
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
    """Return the input with the chat template, if it is not the template of the base model."""
    tokenized = planner.find("tokenize")
    own = planner.trainer.uses_own_template(planner.trainer_config.values)
    return {TOKENIZED: tokenized} if tokenized is not None and own else {}
