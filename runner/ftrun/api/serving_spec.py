"""Specification of a server of a run, and the endpoint of a running server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ftrun.api.recipe import Frozen, Limits, TemplateVariables
from ftrun.api.stage_call import Ref

__all__ = ["BASE", "TUNED", "Endpoint", "Serving"]

BASE, TUNED = "base", "tuned"  # names of the models in requests


class Serving(Frozen):
    """Specification of a server: the weights of one model, and optionally a second model with the name `tuned`.

    The second model is an adapter for the weights, or merged weights if the engine does not support adapters.

    Args:
        run: The id of the run.
        engine: The engine that serves the models.
        model: The artifact with the weights of the first model.
        name: The name of the first model in requests: `base` or `tuned`.
        adapter: The artifact with the adapter of the second model.
        merged: The artifact with the merged weights of the second model.
        rank: The maximum rank of an adapter for which the engine reserves memory.
        max_model_len: The maximum number of tokens of a prompt and its answer. None: the limit of model and memory.
        trust_remote_code: True if code of the model may run.
        template: Variables of the chat template. A request can replace them.
        tool_parser: The parser of calls of tools in answers.
        reasoning_parser: The parser of thoughts in answers.
        no_tools: The answer to requests with tools, if there is no parser for them.
        limits: Limits on requests.
        allowed_hosts: Patterns of further names of the server in requests.
        note: A remark on the automatic choice of models, for the user.
    """

    run: str
    engine: Literal["vllm", "transformers"] = "vllm"
    model: Ref
    name: str
    adapter: Ref | None = None
    merged: Ref | None = None
    rank: int = 0
    max_model_len: int | None = None
    trust_remote_code: bool = False
    template: TemplateVariables = {}
    tool_parser: str | None = None
    reasoning_parser: str | None = None
    no_tools: str = ""
    limits: Limits = Limits()
    allowed_hosts: tuple[str, ...] = ()
    note: str = ""

    @property
    def models(self) -> list[Ref]:
        """Artifacts that the engine loads."""
        return [ref for ref in (self.model, self.adapter, self.merged) if ref is not None]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the models in requests."""
        return (self.name, TUNED) if self.adapter or self.merged else (self.name,)


@dataclass(frozen=True)
class Endpoint:
    """URL and key of a running server.

    Args:
        run: The id of the run.
        url: The URL without `/v1`.
        key: The API key. Only known to the process that started the server, because ftrun does not store it.
    """

    run: str
    url: str
    key: str | None = None
