"""The two models that are evaluated, as inputs of a stage call, and how a stage loads one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.api.errors import Problem
from ftrun.api.serving_spec import BASE, TUNED
from ftrun_plugins.axolotl.config.build import build_trainer_config
from ftrun_plugins.axolotl.tokenize.stage import TEMPLATE

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ftrun.api.backends import Hardware
    from ftrun.api.recipe import Recipe
    from ftrun.api.stage_call import StageCall
    from ftrun.api.stages import Stage
    from ftrun.planning.planner import Planner

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


def candidates(planning: Planner) -> Iterator[Candidate]:
    """The base model, and the tuned one where the recipe trains."""
    model, train, merged = (planning.find(label) for label in ("fetch:model", "train", "merge"))
    if model is None:
        return
    yield Candidate(BASE, {"model": model})
    if merged is not None:
        yield Candidate(TUNED, {"model": merged})
    elif train is not None and train.params["trainer"].get("adapter"):
        yield Candidate(TUNED, {"model": model, "adapter": train})
    elif train is not None:
        yield Candidate(TUNED, {"model": train})


def is_needed(what: Collection[str], recipe: Recipe, planning: Planner) -> bool:
    """Whether an evaluation of the recipe works on any of these: `predictions`, `loss`, …."""
    evaluators = planning.plugins.of_kind("evaluator")
    return any(evaluators[one.evaluator].cls.needs in what for one in recipe.evals.values())


def calls_for_each(
    stage: Stage,
    params: BaseModel,
    planning: Planner,
    hardware: Hardware,
    inputs: Mapping[str, StageCall],
    *,
    suffix: str = "",
    gpus: int = 1,
    environment: str | None = None,
    files: Mapping[str, Path] | None = None,
    optional_secrets: Sequence[str] = (),
    notes: Sequence[str] = (),
    preloaded: bool = True,
) -> list[StageCall]:
    """The same call of `stage` for each model, labelled `stage:role`, or `stage:suffix:role`."""
    on_gpu = hardware.accelerator == "gpu"
    return [
        planning.call(
            stage,
            params,
            label=":".join(part for part in (stage.name, suffix, candidate.role) if part),
            inputs={**candidate.inputs, **inputs},
            environment=environment,
            files=files,
            optional_secrets=optional_secrets,
            notes=notes,
            cpu=1.0 if on_gpu else planning.cores,
            gpus=gpus if on_gpu else 0,
            preloaded=preloaded,
        )
        for candidate in candidates(planning)
    ]


def template_of(recipe: Recipe, planning: Planner) -> dict[str, StageCall]:
    """The input that has the chat template, where the recipe trains with one that is not the model's own."""
    tokenized = planning.find("tokenize")
    named = build_trainer_config(recipe).values.get("chat_template") not in (None, "tokenizer_default")
    return {TOKENIZED: tokenized} if tokenized is not None and named else {}


def give_template(tokenizer: Any, inputs: Mapping[str, Path]) -> None:
    """A model without a chat template is asked by the one that the recipe trains with."""
    if not tokenizer.chat_template and TOKENIZED in inputs:
        tokenizer.chat_template = (inputs[TOKENIZED] / TEMPLATE).read_text()


def load_model(inputs: Mapping[str, Path], accelerator: str, trust_remote_code: bool) -> Any:
    """The model ready to be asked: 32-bit on a CPU, where it is the exact and often the faster, bfloat16 on a GPU."""
    import torch
    from transformers import AutoModelForCausalLM

    dtype, device = (torch.bfloat16, "cuda") if accelerator == "gpu" else (torch.float32, "cpu")
    model = AutoModelForCausalLM.from_pretrained(inputs["model"], dtype=dtype, trust_remote_code=trust_remote_code)
    if "adapter" in inputs:
        from peft import PeftModel

        tokenizer = load_tokenizer(inputs, trust_remote_code)
        if len(tokenizer) > model.get_input_embeddings().weight.shape[0]:
            model.resize_token_embeddings(len(tokenizer))
        model = PeftModel.from_pretrained(model, inputs["adapter"])
    return model.to(device).eval()


def load_tokenizer(inputs: Mapping[str, Path], trust_remote_code: bool) -> Any:
    """The model's own tokenizer; that of the adapter where there is one."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(
        inputs.get("adapter", inputs["model"]), trust_remote_code=trust_remote_code
    )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer
