"""Answers by transformers, in batches: the engine where no vLLM fits the machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ftrun_plugins.evaluation.generate.engine_output import Answer
from ftrun_plugins.evaluation.model_loading import load_model

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.evaluation.generate.params import Params


def answers(
    waiting: Mapping[int, list[int]], tokenizer: Any, params: Params, context: StageContext
) -> Iterator[Answer]:
    """Answers prompts, which are token ids by index; those of like lengths together, for there is less padding."""
    import torch

    model = load_model(context.inputs, params.accelerator, params.trust_remote_code)
    torch.manual_seed(params.seed)
    ends = model.generation_config.eos_token_id
    stops = set(ends if isinstance(ends, list) else [ends]) | {tokenizer.eos_token_id}
    order = sorted(waiting, key=lambda index: (len(waiting[index]), index))
    size = params.batch_size or 1
    for start in range(0, len(order), size):
        context.check_stop()
        batch = order[start : start + size]
        rows = _batch([waiting[index] for index in batch], model, tokenizer.pad_token_id, params)
        for index, row in zip(batch, rows, strict=True):
            length = next((place for place, number in enumerate(row) if number in stops), len(row))
            yield Answer(index, row[:length], stopped=length < len(row))


def _batch(batch: list[list[int]], model: Any, filler: int, params: Params) -> list[list[int]]:
    """What the model adds to each prompt, filled up to one length."""
    import torch

    longest = max(map(len, batch))
    ids = torch.tensor([[filler] * (longest - len(row)) + row for row in batch], device=model.device)
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in batch], device=model.device)
    sampling = (
        {"do_sample": True, "temperature": params.temperature, "top_p": params.top_p}
        if params.temperature
        else {"do_sample": False}
    )
    with torch.inference_mode():
        output = model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=params.max_new_tokens,
            pad_token_id=filler,
            **sampling,
        )
    added: list[list[int]] = output[:, longest:].tolist()
    return added
