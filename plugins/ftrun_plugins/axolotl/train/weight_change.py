"""Detection of a training that changed no weight, by sums over the bits of the trained weights."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ftrun.api.errors import Problem, StageError
from ftrun.utils.atomic_io import read_json, write_json

START = "weights-at-start-*.json"  # in the stage's working folder, by rank
CHUNK = 1 << 22  # elements at a time, so that the sums need at most 64 MB
INTEGERS = {1: "int8", 2: "int16", 4: "int32", 8: "int64"}  # by bytes of an element

Sums = dict[str, list[int]]


def trained_weights(model: Any) -> Iterator[tuple[str, Any]]:
    """Yield the name and value of each trained weight. If weights are distributed, the part of this process."""
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            shard = getattr(weight, "ds_tensor", weight)  # DeepSpeed ZeRO 3
            yield name, (shard.to_local() if hasattr(shard, "to_local") else shard)  # FSDP


def save_start(model: Any) -> None:
    """Save the sums of the trained weights in the current folder. A resumed training keeps those of its start."""
    write_json(_find_file(), sum_weights(model))


def changed_weights(model: Any) -> bool:
    """Return whether a trained weight of this process differs from its start. True if the start is not known."""
    start = read_json(_find_file())
    return not start or start != sum_weights(model)


def check_change(changed: bool, step: int) -> None:
    """Raise StageError if no weight changed."""
    if not changed:
        what = f"training took {step} steps, but did not change any weight"
        hint = (
            "set a higher train.learning_rate, which may be too small for the precision of the weights, "
            "or fewer train.warmup_steps than steps; see in `ftrun preview` which tokens are trained"
        )
        raise StageError("train", Problem("not-trained", what, hint=hint))


def sum_weights(model: Any) -> Sums:
    """Return the sum and the sum of squares of each weight's bits, as integers of 64 bits."""
    return {name: _sum_bits(weight.detach()) for name, weight in trained_weights(model)}


def _sum_bits(weight: Any) -> list[int]:
    import torch

    bits = weight.reshape(-1).view(getattr(torch, INTEGERS[weight.element_size()]))
    total = torch.zeros(2, dtype=torch.int64, device=weight.device)
    for chunk in bits.split(CHUNK):
        whole = chunk.long()
        total += torch.stack([whole.sum(), (whole * whole).sum()])  # overflows wrap, which is exact enough
    sums: list[int] = total.tolist()
    return sums


def _find_file() -> Path:
    return Path.cwd() / START.replace("*", os.environ.get("RANK", "0"))  # axolotl works in the work folder
