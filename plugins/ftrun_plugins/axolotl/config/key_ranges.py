"""Ranges of the trainer's numbers. A value outside trains nothing, ruins the weights, or fails when training begins.

axolotl's schema has no bounds for these keys. Beyond each bound, axolotl 0.21, transformers 5, PEFT or torch fails or
does not train.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ftrun.api.issues import Issue
from ftrun.utils.schema_messages import format_value


@dataclass(frozen=True)
class Range:
    """Range of the numbers that a key accepts.

    Attributes:
        effect: Effect of a number outside the range, as the end of the sentence "KEY is VALUE, which …".
        unit: Unit of the number.
        gt, ge, lt, le: Bounds, as in pydantic.
    """

    effect: str
    unit: str | None = None
    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None

    def accepts(self, number: float) -> bool:
        """Return whether the number is in the range. NaN is in no range."""
        if math.isnan(number):
            return False
        low = (self.gt is None or number > self.gt) and (self.ge is None or number >= self.ge)
        high = (self.lt is None or number < self.lt) and (self.le is None or number <= self.le)
        return low and high

    def keywords(self) -> dict[str, float]:
        """Return the bounds as keywords of JSON Schema."""
        names = {"exclusiveMinimum": self.gt, "minimum": self.ge, "exclusiveMaximum": self.lt, "maximum": self.le}
        return {name: bound for name, bound in names.items() if bound is not None}

    def __str__(self) -> str:
        words = {"greater than": self.gt, "at least": self.ge, "less than": self.lt, "at most": self.le}
        bounds = " and ".join(f"{word} {bound:,}" for word, bound in words.items() if bound is not None)
        return f"{bounds} ({self.unit})" if self.unit else bounds


FAILS = "the trainer fails on"
MIN_TOKENS = 8  # room for a prompt and an answer with their marks; fewer than 2 train nothing

RANGES: dict[str, Range] = {
    # Steps and batches.
    "num_epochs": Range("trains nothing", gt=0),
    "max_steps": Range("axolotl ignores, so it trains all epochs", "optimizer steps", ge=1),
    "micro_batch_size": Range(FAILS, "rows", ge=1),
    "gradient_accumulation_steps": Range(FAILS, "batches", ge=1),
    "eval_batch_size": Range(FAILS, "rows", ge=1),
    # Lengths and packs.
    "sequence_len": Range("is too small for any row", "tokens", ge=MIN_TOKENS),
    "sample_packing_bin_size": Range("leaves no row in a pack", "rows per pack", ge=1),
    "sample_packing_group_size": Range("leaves no rows to pack", "rows", ge=1),
    "sample_packing_eff_est": Range("gives a wrong number of steps", "filled fraction of a pack", gt=0, le=1),
    # The optimizer. Some optimizers need a learning rate of 1, and none a higher one.
    "learning_rate": Range("trains nothing or ruins the weights", gt=0, le=1),
    "embedding_lr": Range("ruins the weights", ge=0, le=1),
    "embedding_lr_scale": Range("ruins the weights", "factor of the learning rate", ge=0),
    "loraplus_lr_ratio": Range("leaves half of the adapter untrained", "factor of the learning rate", gt=0),
    "loraplus_lr_embedding": Range("ruins the weights", ge=0, le=1),
    "dion_lr": Range("trains nothing or ruins the weights", gt=0, le=1),
    "weight_decay": Range("makes weights grow at each step", ge=0),
    "max_grad_norm": Range("is not a norm (0 turns clipping off)", ge=0),
    "adam_beta1": Range(FAILS, ge=0, lt=1),
    "adam_beta2": Range(FAILS, ge=0, lt=1),
    "adam_beta3": Range(FAILS, ge=0, lt=1),
    "adam_epsilon": Range("makes weights NaN, because Adam divides by 0 if a gradient is 0", gt=0),
    "adam_epsilon2": Range("makes weights NaN, because Adam divides by 0 if a gradient is 0", gt=0),
    "neftune_noise_alpha": Range("axolotl does not accept", gt=0),
    "seed": Range(FAILS, ge=0, le=2**32 - 1),
    # The schedule.
    "warmup_steps": Range(FAILS, "steps", ge=0),
    "warmup_ratio": Range("is not a fraction of the steps", "fraction of the steps", ge=0, le=1),
    "cosine_min_lr_ratio": Range(FAILS, "fraction of the learning rate", ge=0, le=1),
    "cosine_constant_lr_ratio": Range(FAILS, "fraction of the steps", ge=0, le=1),
    # Adapters.
    "lora_r": Range(FAILS, ge=1),
    "lora_alpha": Range("turns the adapter off, so nothing is trained", "the scale is lora_alpha / lora_r", ge=1),
    "lora_dropout": Range("drops all inputs of the adapter", "fraction of the inputs", ge=0, lt=1),
    # Logs, checkpoints and evaluations. If 0 is in the range, the trainer treats it like an absent key.
    "logging_steps": Range(FAILS, "steps", ge=1),
    "save_steps": Range("is not a number of steps", "steps, or a fraction of all steps if below 1", ge=0),
    "eval_steps": Range("is not a number of steps", "steps, or a fraction of all steps if below 1", ge=0),
    "saves_per_epoch": Range("is not a number of checkpoints", ge=0),
    "evals_per_epoch": Range("is not a number of evaluations", ge=0),
    "early_stopping_patience": Range("ends training at the first evaluation", "evaluations", ge=0),
    "loss_watchdog_threshold": Range("every loss exceeds, so training ends immediately", "loss", gt=0),
    "loss_watchdog_patience": Range("ends training immediately", "steps", ge=0),
    "torch_empty_cache_steps": Range(FAILS, "steps", ge=1),
    # Processes that read data.
    "dataloader_num_workers": Range(FAILS, "processes", ge=0),
    "dataset_num_proc": Range(FAILS, "processes", ge=1),
}


def check_ranges(values: Mapping[str, object]) -> Iterator[Issue]:
    """Yield an issue for each number of a merged configuration that is outside its range."""
    for key, allowed in RANGES.items():
        value = values.get(key)
        number = _parse_number(value)
        if number is not None and not allowed.accepts(number):
            what = f"`{key}` is {format_value(value)}, which {allowed.effect}"
            yield Issue("invalid-value", (key,), what, str(allowed))


def _parse_number(value: object) -> float | None:
    """Return a value as axolotl reads it, including numbers in quotes. None if it is not a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except OverflowError:  # a whole number of more than 1,024 bits
        return math.copysign(math.inf, int(value))
    except ValueError:
        return None
