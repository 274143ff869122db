"""Keys of a recipe that make a failed stage call need less memory, computed from its parameters."""

from __future__ import annotations

from collections.abc import Iterator

from ftrun.api.known_errors import FailedCall

SHORTEST = 512  # tokens; no shorter `sequence_len` is proposed
MOST_HINTS = 6


def save_memory(call: FailedCall) -> str:
    """Return the keys to change, one per line, the one with the smallest cost first."""
    keys = {"train": _for_training, "generate": _for_generation}.get(call.stage, _for_stage)(call)
    return "\n".join(["run it again with one of these (`ftrun rerun last KEY=VALUE`):", *list(keys)[:MOST_HINTS]])


def save_server_memory(call: FailedCall) -> str:
    """Return the keys to change for an engine that has too little memory for its cache."""
    if call.stage in ("generate", "lm_eval", "parity"):
        return save_memory(call)
    length = call.params.get("max_model_len")
    shorter = f"serve.max_model_len={int(length) // 2}" if length else "serve.max_model_len=4096"
    return f"serve shorter prompts and answers with {shorter}, or on more GPUs with resources.serve.gpu"


def _for_training(call: FailedCall) -> Iterator[str]:
    values = call.trainer
    micro = int(values.get("micro_batch_size") or 1)
    if micro > 1:
        smaller = micro // 2
        steps = -(-int(values.get("gradient_accumulation_steps") or 1) * micro // smaller)
        yield f"train.micro_batch_size={smaller} train.gradient_accumulation_steps={steps}: as many rows per step"
    if not values.get("gradient_checkpointing"):
        yield "train.gradient_checkpointing=true: recomputes activations, about a third slower"
    quantizes = call.params.get("accelerator") != "cpu"  # on a CPU, ftrun replaces values in 4 and 8 bits
    if not values.get("adapter"):
        yield "the optimization lora in place of full: no gradients and optimizer states of the base weights"
        if quantizes and "adamw_torch" in str(values.get("optimizer")):
            yield "train.optimizer=adamw_bnb_8bit: a quarter of the memory for optimizer states"
    elif quantizes and not values.get("load_in_4bit"):
        yield "the optimization qlora in place of lora: base weights in 4 bits"
    length = values.get("sequence_len")
    if isinstance(length, int) and length > SHORTEST:
        yield f"train.sequence_len={max(SHORTEST, length // 2)}: drops or cuts longer rows"
    if int(call.params.get("processes") or 1) > 1 and not values.get("deepspeed"):
        yield "the optimization zero3: shares the weights between the processes"
    yield from _for_stage(call)


def _for_generation(call: FailedCall) -> Iterator[str]:
    batch, tokens = call.params.get("batch_size"), call.params.get("max_new_tokens")
    if batch and batch > 1:
        yield f"generate.batch_size={batch // 2}: fewer rows at once"
    if tokens and tokens > 1:
        yield f"generate.max_new_tokens={tokens // 2}: shorter answers"
    yield from _for_stage(call)


def _for_stage(call: FailedCall) -> Iterator[str]:
    stage = call.stage or "STAGE"
    on_cpu = call.params.get("accelerator") == "cpu" or call.stage in ("tokenize", "merge", "fetch")
    if on_cpu:
        yield f"resources.{stage}.memory=GB: more memory, on a backend that offers it"
        yield "a smaller model, or other programs closed"
    else:
        yield f"resources.{stage}.gpu=KIND: a GPU with more memory, or several as KIND:COUNT"
