"""Parameters of the stage `generate`."""

from __future__ import annotations

from typing import Literal

from ftrun.api.recipe import Frozen


class Params(Frozen):
    """How answers are sampled, and by what."""

    engine: Literal["vllm", "transformers"]
    max_new_tokens: int
    temperature: float
    top_p: float
    seed: int
    batch_size: int | None  # of the engine that has no scheduler of its own
    rows: int | None
    accelerator: Literal["cpu", "gpu"]
    gpus: int
    trust_remote_code: bool
