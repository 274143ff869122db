"""Answers by vLLM, inside this process: its scheduler fills the batches, and an answer comes as soon as it is whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
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

EXACT = {"dtype": "float32", "enforce_eager": True}  # on a CPU, where it also starts sooner
AHEAD = 512  # prompts that the engine has before it has answered the first of them
# In this process, so that nothing of the engine outlives it; on a CPU, GiB for keys and values.
SURROUNDINGS = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_CPU_KVCACHE_SPACE": CPU_CACHE, "HF_HUB_OFFLINE": "1"}


def answers(
    waiting: Mapping[int, list[int]], tokenizer: Any, params: Params, context: StageContext
) -> Iterator[Answer]:
    """Answers prompts, which are token ids by index.

    Raises:
        InvalidInput: a prompt is too long for the model, or the engine cannot hold the adapter.
    """
    llm, lora = load(max(map(len, waiting.values())), params, context)
    yield from ask(llm, lora, waiting, sampling(params, tokenizer.eos_token_id), context.check_stop)


def sampling(params: Params, end: int) -> Any:
    """How each answer is sampled; it stops at the tokens of the model's generation config, and at `end`."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    return SamplingParams(
        temperature=params.temperature,
        top_p=params.top_p,
        max_tokens=params.max_new_tokens,
        seed=params.seed,
        stop_token_ids=[end],
        detokenize=False,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


def ask(llm: Any, lora: Any, waiting: Mapping[int, list[int]], how: Any, check: Callable[[], None]) -> Iterator[Answer]:
    """Each answer as soon as it is whole, in whatever order; `check` is called between tokens, and may end it."""
    engine, left = llm.llm_engine, iter(waiting)
    while True:
        for index in islice(left, AHEAD - engine.get_num_unfinished_requests()):
            (prompt,) = engine.renderer.render_cmpl([{"prompt_token_ids": waiting[index]}])
            engine.add_request(str(index), prompt, how, lora_request=lora)
        if not engine.has_unfinished_requests():
            return
        check()
        for output in engine.step():
            yield _answer(int(output.request_id), output.outputs[0])


def load(longest: int, params: Params, context: StageContext) -> tuple[Any, Any]:
    """The engine, with room for the longest prompt and its answer, and the adapter that it answers with, if any."""
    os.environ.update(SURROUNDINGS)
    from vllm import LLM
    from vllm.lora.request import LoRARequest

    options: dict[str, Any] = {"tensor_parallel_size": params.gpus} if params.gpus else EXACT
    lora = None
    if adapter := context.inputs.get("adapter"):
        lora = LoRARequest("tuned", 1, str(adapter))
        options = {**options, "enable_lora": True, "max_loras": 1, "max_lora_rank": rank_of(adapter)}
    room = longest + params.max_new_tokens
    try:
        llm = LLM(
            model=str(context.inputs["model"]),
            max_model_len=room,
            trust_remote_code=params.trust_remote_code,
            disable_log_stats=True,
            **options,
        )
    except ValueError as error:
        if "max_model_len" not in str(error):
            raise
        what = f"a prompt of {longest} tokens and an answer of up to {params.max_new_tokens} are too long for the model"
        raise InvalidInput(
            Problem("rows-too-long", what, hint="shorten the row, or set generate.max_new_tokens or generate.rows")
        ) from error
    return llm, lora


def rank_of(adapter: Path) -> int:
    """The rank that the engine makes room for. Raises `InvalidInput` where it cannot hold the adapter."""
    config = read_adapter(adapter)
    if reasons := list(list_obstacles(config)):
        what = f"vLLM cannot answer with the adapter unmerged: {'; '.join(reasons)}"
        raise InvalidInput(
            Problem("missing-merge", what, hint="put `merge` among the stages, or set generate.engine=transformers")
        )
    return rank_for(config)


def _answer(index: int, made: Any) -> Answer:
    ids = list(made.token_ids)
    stopped = made.finish_reason == "stop"
    return Answer(index, ids[:-1] if stopped else ids, stopped)
