"""Parameters of the stage `generate`."""

from __future__ import annotations

from typing import Literal

from ftrun.api.recipe import Frozen, TemplateVariables


class Params(Frozen):
    """Sampling of the answers, and the engine that generates them."""

    engine: Literal["vllm", "transformers"]
    max_new_tokens: int
    temperature: float
    top_p: float
    repetition_penalty: float
    seed: int
    batch_size: int | None  # None for vLLM, which forms batches itself
    rows: int | None
    accelerator: Literal["cpu", "gpu"]
    gpus: int
    trust_remote_code: bool
    template: TemplateVariables = {}
    tool_parser: str | None = None
