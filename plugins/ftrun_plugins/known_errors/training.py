"""Errors of training: numbers that overflow, and names of modules that match nothing."""

from __future__ import annotations

from ftrun.api.known_errors import KnownError

NO_OVERFLOW = (
    "prefer bf16: train.bf16=true train.fp16=false\n"
    "with fp16, lower train.learning_rate or train.max_grad_norm, or raise train.warmup_steps"
)

TRAINING_ERRORS = (
    KnownError(
        "gradient-overflow",
        r"Current loss scale already at minimum",
        "the gradients overflow in fp16 at each step, even at the smallest loss scale of DeepSpeed",
        NO_OVERFLOW,
        in_logs=True,
    ),
    KnownError(
        "gradient-overflow",
        r"Attempting to unscale FP16 gradients|Gradient overflow",
        "the trained weights are in fp16, whose gradients cannot be scaled",
        NO_OVERFLOW,
    ),
    KnownError(
        "diverged",
        r"(?:loss|gradient|grad)\w*(?: \w+){0,4} (?:is|are|contains?) (?:nan|NaN|inf|infinite)\b",
        "the loss is not a finite number",
        "lower train.learning_rate, raise train.warmup_steps, or set a smaller train.max_grad_norm",
    ),
    KnownError(
        "unknown-module",
        r"Target modules (?P<names>.+?) not found in the base model|No modules were targeted for adaptation",
        "the model has none of the modules that LoRA would train: {names}",
        "set train.lora_target_linear=true to train all linear layers, or use the names that the model's `config.json` "
        "and weights have, such as train.lora_target_modules=[q_proj,v_proj]",
        at="train.lora_target_modules",
        fault="user",
    ),
    KnownError(
        "unknown-module",
        r"Target module (?P<name>\w+)\(.*? is not supported",
        "LoRA cannot adapt a module of type {name}",
        "leave it out of train.lora_target_modules, or train it whole with train.lora_modules_to_save",
        at="train.lora_target_modules",
        fault="user",
    ),
)
