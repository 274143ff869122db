"""Parameters of the stage `lm_eval`."""

from __future__ import annotations

from typing import Any, Literal

from ftrun.api.recipe import Frozen, TemplateVariables


class Params(Frozen):
    """Task, options of its prompts, and the hardware."""

    task: str | dict[str, Any]  # name of the task, or content of the task file
    downloads: bool  # true if the data is downloaded from the hub
    metric: str | None
    num_fewshot: int | None
    limit: int | None
    apply_chat_template: bool | None
    max_tokens: int | None
    trusts_task: bool
    accelerator: Literal["cpu", "gpu"]
    gpus: int
    trust_remote_code: bool  # applies to the code of the model
    template: TemplateVariables = {}
