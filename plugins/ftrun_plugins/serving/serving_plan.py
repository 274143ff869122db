"""What of a run is served: base and tuned side by side where the engine can hold the adapter, else the merged model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.recipe import Limits, Recipe
from ftrun.api.serving_spec import BASE, TUNED, Serving
from ftrun.api.stage_call import Plan, Ref
from ftrun.store.artifacts import Read
from ftrun_plugins.serving.lora import ADAPTER_CONFIG, rank_for, unservable


def choose(
    run: str, recipe: Recipe, plan: Plan, read: Read, has: Callable[[Ref], bool], no_vllm: str | None
) -> Serving:
    """What an engine is given.

    Args:
        run: The run.
        recipe: With what its section `serve` says.
        plan: What the run made.
        read: Reads a small file of an artifact.
        has: Whether an artifact is there, and whole.
        no_vllm: Why transformers has to answer in vLLM's place.

    Raises:
        InvalidInput: nothing of the run can be served.
    """
    made = {call.label: call for call in plan.calls}
    model, train, merged = (made.get(label) for label in ("fetch:model", "train", "merge"))

    stand_in = [f"transformers answers, one request after the other: {no_vllm}"] if no_vllm else []

    def serving(ref: Ref, name: str, note: str = "", **more: Any) -> Serving:
        if not has(ref):
            raise InvalidInput(
                Problem(
                    "missing-artifact",
                    f"{ref} is not whole in the store any more",
                    hint=f"ftrun resume {run} makes it again",
                )
            )
        return Serving(
            run=run,
            engine="transformers" if no_vllm else "vllm",
            model=ref,
            name=name,
            max_model_len=recipe.serve.max_model_len,
            trust_remote_code=recipe.model.trust_remote_code,
            limits=Limits.model_validate(recipe.serve.model_dump(include=set(Limits.model_fields))),
            note="; ".join([*stand_in, *([note] if note else [])]),
            **more,
        )

    if model is None:
        raise InvalidInput(
            Problem(
                "missing-artifact", f"the run {run} has no model to serve", hint="`fetch` has to be among its stages"
            )
        )
    if train is None:
        return serving(model.ref, BASE, "the run trains nothing: only the base model is served")
    if not train.params["trainer"].get("adapter"):
        return serving(train.ref, TUNED, "all weights were trained: the base model is not served beside them")
    wanted = ["the recipe says serve.merged"] if recipe.serve.engine == "vllm" and recipe.serve.merged else []
    gone = [f"{ref} is not whole in the store any more" for ref in (model.ref, train.ref) if not has(ref)]
    if no_vllm and merged is not None and has(merged.ref) and has(model.ref) and not wanted:
        return serving(model.ref, BASE, merged=merged.ref)
    adapter = json.loads(read(train.ref, ADAPTER_CONFIG) or b"{}")
    unmerged = ["transformers serves whole weights"] if no_vllm else unservable(adapter)
    reasons = wanted or gone or [*unmerged, *_other_template(model.ref, train.ref, read)]
    if not reasons:
        return serving(model.ref, BASE, adapter=train.ref, rank=rank_for(adapter))
    why = "; ".join(reasons)
    if gone and (merged is None or not has(merged.ref)):
        raise InvalidInput(Problem("missing-artifact", why, hint=f"ftrun resume {run} makes it again"))
    if merged is None:
        what = f"the engine cannot serve the adapter of {run} unmerged: {why}"
        raise InvalidInput(
            Problem("missing-merge", what, hint="put `merge` among the recipe's stages and run it again")
        )
    return serving(merged.ref, TUNED, f"served merged, without the base model: {why}")


def _other_template(model: Ref, adapter: Ref, read: Read) -> Iterator[str]:
    """The engine renders with the template of the weights that it loads."""
    trained = _template(adapter, read)
    if trained is not None and trained != _template(model, read):
        yield "it was trained with another chat template"


def _template(ref: Ref, read: Read) -> str | None:
    text = read(ref, "chat_template.jinja")
    if text is not None:
        return text.decode().strip()
    config = json.loads(read(ref, "tokenizer_config.json") or b"{}")
    template = config.get("chat_template")
    return template.strip() if isinstance(template, str) else None
