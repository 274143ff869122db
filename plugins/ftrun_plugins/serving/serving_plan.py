"""Choice of the models to serve: base and tuned if the engine can hold the adapter, else the merged model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.recipe import Limits, Recipe, Serve
from ftrun.api.serving_spec import BASE, TUNED, Serving
from ftrun.api.stage_call import Plan, Ref, StageCall
from ftrun.store.artifacts import Read
from ftrun_plugins.answer_formats.parser_names import CALL_FORMATS, THOUGHT_TAGS
from ftrun_plugins.answer_formats.proposal import propose_tool_parser
from ftrun_plugins.serving.lora import ADAPTER_CONFIG, list_obstacles, rank_for


def plan_serving(
    run: str,
    recipe: Recipe,
    plan: Plan,
    read: Read,
    has: Callable[[Ref], bool],
    no_vllm: str | None,
    template: Mapping[str, Any],
) -> Serving:
    """Return the models that an engine serves, and their options.

    Args:
        run: Id of the run.
        recipe: Recipe of the run, with the section `serve` to apply.
        plan: Plan of the run.
        read: Reads a small file of an artifact.
        has: Returns whether an artifact is complete in the store.
        no_vllm: Reason why transformers replaces vLLM, or None.
        template: Variables of the chat template that the run trained with.

    Raises:
        InvalidInput: If no model of the run can be served.
    """
    calls = {call.label: call for call in plan.calls}
    chosen = _choose_models(run, recipe.serve, calls, read, has, no_vllm)
    if not has(chosen.model):
        what = f"{chosen.model} is not complete in the store"
        raise InvalidInput(Problem("missing-artifact", what, hint=f"ftrun resume {run}"))
    rendering = (calls.get("train") or calls["fetch:model"]).ref
    proposed = propose_tool_parser(_read_template(rendering, read) or "")
    engine_note = f"transformers answers, one request after the other: {no_vllm}" if no_vllm else ""
    return Serving(
        run=run,
        engine="transformers" if no_vllm else "vllm",
        model=chosen.model,
        name=chosen.name,
        adapter=chosen.adapter,
        merged=chosen.merged,
        rank=chosen.rank,
        max_model_len=recipe.serve.max_model_len,
        trust_remote_code=recipe.model.trust_remote_code,
        template=dict(template),
        **_choose_parsers(recipe.serve, bool(no_vllm), proposed, run),
        limits=Limits.model_validate(recipe.serve.model_dump(include=set(Limits.model_fields))),
        allowed_hosts=tuple(recipe.serve.allowed_hosts),
        note="; ".join(filter(None, (engine_note, chosen.note))),
    )


class _Models(NamedTuple):
    """Models to serve, with the same meanings as in `Serving`."""

    model: Ref
    name: str
    note: str = ""
    adapter: Ref | None = None
    merged: Ref | None = None
    rank: int = 0


def _choose_models(
    run: str,
    serve: Serve,
    calls: Mapping[str, StageCall],
    read: Read,
    has: Callable[[Ref], bool],
    no_vllm: str | None,
) -> _Models:
    """Return the base and the tuned model if the engine can hold both, else one of them with the reason."""
    model, train, merged = (calls.get(label) for label in ("fetch:model", "train", "merge"))
    if model is None:
        raise InvalidInput(
            Problem("missing-artifact", f"the run {run} has no model to serve", hint="add `fetch` to the stages")
        )
    if train is None:
        return _Models(model.ref, BASE, "only the base model is served, because the run trained no model")
    if not train.params["trainer"].get("adapter"):
        return _Models(train.ref, TUNED, "only the tuned model is served, because all weights were trained")
    requested = ["the recipe has serve.merged"] if serve.engine == "vllm" and serve.merged else []
    missing = [f"{ref} is not complete in the store" for ref in (model.ref, train.ref) if not has(ref)]
    if no_vllm and merged is not None and has(merged.ref) and has(model.ref) and not requested:
        return _Models(model.ref, BASE, merged=merged.ref)
    adapter = json.loads(read(train.ref, ADAPTER_CONFIG) or b"{}")
    unmerged = ["transformers cannot serve adapters"] if no_vllm else list_obstacles(adapter)
    reasons = requested or missing or [*unmerged, *_compare_templates(model.ref, train.ref, read)]
    if not reasons:
        return _Models(model.ref, BASE, adapter=train.ref, rank=rank_for(adapter))
    reason = "; ".join(reasons)
    if missing and (merged is None or not has(merged.ref)):
        raise InvalidInput(Problem("missing-artifact", reason, hint=f"ftrun resume {run}"))
    if merged is None:
        what = f"the engine cannot serve the adapter of {run} unmerged: {reason}"
        raise InvalidInput(
            Problem("missing-merge", what, hint="add `merge` to the stages of the recipe and run it again")
        )
    return _Models(merged.ref, TUNED, f"only the merged model is served: {reason}")


def _choose_parsers(serve: Serve, simple: bool, proposed: str | None, run: str) -> dict[str, Any]:
    """Return the parsers that the engine has, and the answer to requests with tools if it has none for their calls.

    Args:
        serve: The section `serve` of the recipe.
        simple: True if the engine is `transformers`.
        proposed: The parser for the chat template. None: the format is unknown.
        run: Id of the run.
    """
    tools, thoughts = serve.tool_parser, serve.reasoning_parser
    if simple:
        tools, thoughts = own_parsers(serve)
    no_tools = "" if tools else _explain_no_tools(serve.tool_parser, proposed, run)
    return {"tool_parser": tools, "reasoning_parser": thoughts, "no_tools": no_tools}


def own_parsers(serve: Serve) -> tuple[str | None, str | None]:
    """Return the parsers of calls and of thoughts that the recipe chooses and the engine `transformers` has."""
    tools, thoughts = serve.tool_parser, serve.reasoning_parser
    return tools if tools in CALL_FORMATS else None, thoughts if thoughts in THOUGHT_TAGS else None


def _explain_no_tools(requested: str | None, proposed: str | None, run: str) -> str:
    if requested:
        return f"the engine `transformers` cannot parse calls of tools in the format `{requested}`; serve with vLLM"
    what = "the server does not parse calls of tools, because `serve.tool_parser` is not set"
    if proposed:
        return f"{what}; the chat template fits `{proposed}`: ftrun serve {run} serve.tool_parser={proposed}"
    return f"{what}, and ftrun does not know the format of the chat template"


def _compare_templates(model: Ref, adapter: Ref, read: Read) -> Iterator[str]:
    """Yield an obstacle if the chat template differs from that of the base model, which the engine uses."""
    trained = _read_template(adapter, read)
    if trained is not None and trained != _read_template(model, read):
        yield "it was trained with a different chat template"


def _read_template(ref: Ref, read: Read) -> str | None:
    text = read(ref, "chat_template.jinja")
    if text is not None:
        return text.decode().strip()
    config = json.loads(read(ref, "tokenizer_config.json") or b"{}")
    template = config.get("chat_template")
    return template.strip() if isinstance(template, str) else None
