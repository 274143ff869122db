"""Parameters of the stage `parity`."""

from __future__ import annotations

from operator import not_
from typing import Literal

from pydantic import Field

from ftrun.api.recipe import Frozen, TemplateVariables


class Params(Frozen):
    """Subject and options of the comparison."""

    what: Literal["prompts", "weights", "answers"]
    engine: bool = False  # true if the tokens of vLLM are compared too, or answers are parsed by it
    untrained_end_of_turn: bool = False
    on_prompt_mismatch: Literal["stop", "report"] = "stop"
    trust_remote_code: bool
    template: TemplateVariables = {}
    tool_parser: str | None = Field(default=None, exclude_if=not_)
    reasoning_parser: str | None = Field(default=None, exclude_if=not_)
