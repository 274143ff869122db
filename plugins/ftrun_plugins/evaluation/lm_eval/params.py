"""Parameters of the stage `lm_eval`."""

from __future__ import annotations

from typing import Any, Literal

from ftrun.api.recipe import Frozen


class Params(Frozen):
    """The task, how it is asked, and by what."""

    task: str | dict[str, Any]  # its name, or what its file says
    downloads: bool  # whether its data are on the hub
    metric: str | None
    num_fewshot: int | None
    limit: int | None
    apply_chat_template: bool | None
    max_tokens: int | None
    trusts_task: bool
    accelerator: Literal["cpu", "gpu"]
    gpus: int
    trust_remote_code: bool  # of the model
