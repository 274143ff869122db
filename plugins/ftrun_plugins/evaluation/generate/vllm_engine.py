"""Answers from vLLM in this process. Its scheduler forms the batches, and yields each answer once it is complete."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun_plugins.evaluation.generate.engine_output import Answer
from ftrun_plugins.serving.engine import CPU_CACHE
from ftrun_plugins.serving.lora import list_obstacles, rank_for, read_adapter

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.evaluation.generate.params import Params

CPU_OPTIONS = {"dtype": "float32", "enforce_eager": True}  # exact, and faster to start
DERIVED_LIMIT = re.compile(r"derived max_model_len \(\w+=(\d+)")  # other errors also name the key
MAX_QUEUED = 512  # maximum number of unanswered prompts in the engine
# The engine runs in this process, so that no part of it outlives the process. The cache size in GiB applies on a CPU.
ENVIRONMENT = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_CPU_KVCACHE_SPACE": CPU_CACHE, "HF_HUB_OFFLINE": "1"}


def generate_answers(
    waiting: Mapping[int, list[int]], tokenizer: Any, params: Params, context: StageContext
) -> Iterator[Answer]:
    """Yield the answers to prompts, which are token ids by index. A prompt that is too long has an error instead.

    Raises:
        InvalidInput: If all prompts are too long for the model, or if the engine cannot load the adapter.
    """
    lengths = sorted({len(ids) + params.max_new_tokens for ids in waiting.values()})
    llm, lora, limit = load(lengths, params, context)
    sampling = make_sampling_params(params, tokenizer.eos_token_id)
    fitting = {index: ids for index, ids in waiting.items() if len(ids) + params.max_new_tokens <= limit}
    for index, ids in waiting.items():
        if index not in fitting:
            yield Answer(index, [], stopped=False, error=f"{_describe_length(len(ids), params)} ({limit} tokens)")
    yield from run_requests(llm, lora, fitting, sampling, context.check_stop)


def make_sampling_params(params: Params, end: int) -> Any:
    """Return the sampling parameters. An answer stops at `end`, and at the stop tokens of the generation config."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    return SamplingParams(
        temperature=params.temperature,
        top_p=params.top_p,
        repetition_penalty=params.repetition_penalty,
        max_tokens=params.max_new_tokens,
        seed=params.seed,
        stop_token_ids=[end],
        detokenize=False,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


def run_requests(
    llm: Any, lora: Any, waiting: Mapping[int, list[int]], sampling: Any, check: Callable[[], None]
) -> Iterator[Answer]:
    """Yield each answer once it is complete, in any order. `check` is called between tokens and may raise to stop."""
    engine, remaining = llm.llm_engine, iter(waiting)
    while True:
        for index in islice(remaining, MAX_QUEUED - engine.get_num_unfinished_requests()):
            (prompt,) = engine.renderer.render_cmpl([{"prompt_token_ids": waiting[index]}])
            engine.add_request(str(index), prompt, sampling, lora_request=lora)
        if not engine.has_unfinished_requests():
            return
        check()
        for output in engine.step():
            yield _make_answer(int(output.request_id), output.outputs[0])


def load(lengths: Sequence[int], params: Params, context: StageContext) -> tuple[Any, Any, int]:
    """Return the engine, the request for the adapter or None, and the number of tokens that the engine supports.

    Args:
        lengths: The lengths of prompts with their answers in tokens, in ascending order.
        params: The parameters of the stage.
        context: The context of the stage.

    Raises:
        InvalidInput: If all prompts are too long for the model, or if the engine cannot load the adapter.
    """
    os.environ.update(ENVIRONMENT)
    from vllm import LLM
    from vllm.lora.request import LoRARequest

    options: dict[str, Any] = {"tensor_parallel_size": params.gpus} if params.gpus else CPU_OPTIONS
    lora = None
    if adapter := context.inputs.get("adapter"):
        lora = LoRARequest("tuned", 1, str(adapter))
        options = {**options, "enable_lora": True, "max_loras": 1, "max_lora_rank": rank_of(adapter)}
    options = {**options, "trust_remote_code": params.trust_remote_code, "disable_log_stats": True}
    model, limit = str(context.inputs["model"]), lengths[-1]
    try:
        return LLM(model=model, max_model_len=limit, **options), lora, limit
    except ValueError as error:
        supported = find_limit(str(error))
        if supported is None:
            raise
        if supported < lengths[0]:
            what = _describe_length(lengths[0] - params.max_new_tokens, params)
            hint = "shorten the rows, or set generate.max_new_tokens"
            raise InvalidInput(Problem("rows-too-long", f"{what}, and so are all others", hint=hint)) from error
    return LLM(model=model, max_model_len=supported, **options), lora, supported


def find_limit(message: str) -> int | None:
    """Return the number of tokens that a model supports, from the error of vLLM for more. None: another error."""
    match = DERIVED_LIMIT.search(message)
    return int(match[1]) if match else None


def _describe_length(prompt: int, params: Params) -> str:
    return f"a prompt of {prompt} tokens with an answer of up to {params.max_new_tokens} is too long for the model"


def rank_of(adapter: Path) -> int:
    """Return the rank for which the engine must reserve memory.

    Raises:
        InvalidInput: If the engine cannot load the adapter.
    """
    config = read_adapter(adapter)
    if reasons := list(list_obstacles(config)):
        what = f"vLLM cannot load the adapter: {'; '.join(reasons)}"
        raise InvalidInput(
            Problem("missing-merge", what, hint="add the stage `merge`, or set generate.engine=transformers")
        )
    return rank_for(config)


def _make_answer(index: int, output: Any) -> Answer:
    ids = list(output.token_ids)
    stopped = output.finish_reason == "stop"
    return Answer(index, ids[:-1] if stopped else ids, stopped)
