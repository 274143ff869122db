"""Answers from transformers, in batches. Used on machines that vLLM does not support."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ftrun_plugins.evaluation.generate.engine_output import Answer
from ftrun_plugins.evaluation.model_loading import load_model

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.evaluation.generate.params import Params


def generate_answers(
    waiting: Mapping[int, list[int]], tokenizer: Any, params: Params, context: StageContext
) -> Iterator[Answer]:
    """Yield the answers to prompts, which are token ids by index.

    Prompts of similar lengths share a batch, which needs less padding.
    """
    import torch

    model = load_model(context.inputs, params.accelerator, params.trust_remote_code)
    torch.manual_seed(params.seed)
    stops = _find_stops(model, tokenizer)
    model.generation_config = make_generation_config(params, sorted(stops), tokenizer.pad_token_id)
    order = sorted(waiting, key=lambda index: (len(waiting[index]), index))
    size = params.batch_size or 1
    for start in range(0, len(order), size):
        context.check_stop()
        batch = order[start : start + size]
        rows = _generate_batch([waiting[index] for index in batch], model, tokenizer.pad_token_id)
        for index, row in zip(batch, rows, strict=True):
            length = next((position for position, token in enumerate(row) if token in stops), len(row))
            yield Answer(index, row[:length], stopped=length < len(row))


def _find_stops(model: Any, tokenizer: Any) -> set[int]:
    """Return the stop tokens of the generation config and of the tokenizer."""
    ends = model.generation_config.eos_token_id
    return {end for end in (*(ends if isinstance(ends, list) else [ends]), tokenizer.eos_token_id) if end is not None}


def make_generation_config(params: Params, stops: list[int], filler: int) -> Any:
    """Return a generation config with the sampling of the recipe, which replaces that of the model.

    Models bring settings such as `repetition_penalty`, `min_new_tokens` and `suppress_tokens`. vLLM ignores them.
    """
    from transformers import GenerationConfig

    is_random = {"do_sample": True, "temperature": params.temperature, "top_p": params.top_p, "top_k": 0}
    return GenerationConfig(
        eos_token_id=stops,
        pad_token_id=filler,
        max_new_tokens=params.max_new_tokens,
        repetition_penalty=params.repetition_penalty,
        **(is_random if params.temperature else {"do_sample": False}),
    )


def _generate_batch(batch: list[list[int]], model: Any, filler: int) -> list[list[int]]:
    """Return the tokens that the model adds to each prompt, padded to the same length."""
    import torch

    longest = max(map(len, batch))
    ids = torch.tensor([[filler] * (longest - len(row)) + row for row in batch], device=model.device)
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in batch], device=model.device)
    with torch.inference_mode():
        output = model.generate(input_ids=ids, attention_mask=mask)
    added: list[list[int]] = output[:, longest:].tolist()
    return added
