"""What is served of which run, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.api.recipe import Serve
from ftrun.api.stage_call import Ref
from ftrun_plugins.serving import request_limits
from ftrun_plugins.serving.engine import command, variables
from ftrun_plugins.serving.middleware import HOSTS, KEY, LIMITS, MODELS, NO_TOOLS, AuthMiddleware
from ftrun_plugins.serving.serving_plan import plan_serving

TEMPLATE = b"{{ messages }}"
PLAIN = {"r": 12, "modules_to_save": None, "use_dora": False}


def chosen(
    adapter: dict[str, Any] | None = PLAIN,
    stages: tuple[str, ...] = ("fetch:model", "train", "merge"),
    trainer: dict[str, Any] | None = None,
    template: bytes = TEMPLATE,
    serve: dict[str, Any] | None = None,
    gone: tuple[str, ...] = (),
    no_vllm: str | None = None,
    variables: dict[str, Any] | None = None,
) -> Any:
    calls = [
        SimpleNamespace(
            label=label,
            ref=Ref(stage=label.partition(":")[0], key="k"),
            params={"trainer": {"adapter": "lora"} if trainer is None else trainer},
        )
        for label in stages
    ]
    recipe = SimpleNamespace(
        serve=Serve.model_validate(serve or {}),
        model=SimpleNamespace(trust_remote_code=False),
    )
    files = {
        ("fetch", "tokenizer_config.json"): json.dumps({"chat_template": TEMPLATE.decode()}).encode(),
        ("train", "chat_template.jinja"): template + b"\n",
        ("train", "adapter_config.json"): json.dumps(adapter).encode(),
    }
    plan: Any = SimpleNamespace(calls=calls)
    read, has = lambda ref, name: files.get((ref.stage, name)), lambda ref: ref.stage not in gone
    return plan_serving("r1", recipe, plan, read, has, no_vllm, variables or {})  # type: ignore[arg-type]


def test_an_adapter_is_served_beside_its_base_model() -> None:
    serving = chosen()
    assert serving.names == ("base", "tuned")
    assert (serving.model.stage, serving.adapter.stage, serving.rank, serving.note) == ("fetch", "train", 16, "")


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({"adapter": {**PLAIN, "r": 1000}}, "rank 1000"),
        ({"adapter": {**PLAIN, "modules_to_save": ["lm_head"]}}, "whole modules"),
        ({"adapter": {**PLAIN, "trainable_token_indices": [5]}}, "whole modules"),
        ({"adapter": {**PLAIN, "use_dora": True}}, "DoRA"),
        ({"adapter": {}}, "no adapter_config.json"),
        ({"template": b"another"}, "chat template"),
        ({"serve": {"engine": "vllm"}}, "serve.merged"),
    ],
)
def test_what_the_engine_cannot_hold_is_served_merged(what: dict[str, Any], why: str) -> None:
    serving = chosen(**what)
    assert (serving.names, serving.model.stage, serving.adapter) == (("tuned",), "merge", None)
    assert why in serving.note
    with pytest.raises(InvalidInput, match="cannot serve the adapter"):
        chosen(**what, stages=("fetch:model", "train"))


def test_a_run_without_an_adapter_has_one_model() -> None:
    assert chosen(trainer={}).names == ("tuned",)
    assert chosen(stages=("fetch:model",)).names == ("base",)
    with pytest.raises(InvalidInput, match="no model to serve"):
        chosen(stages=("format",))


@pytest.mark.parametrize("deleted", ["fetch", "train"])
def test_a_merged_model_stands_in_for_a_deleted_artifact(deleted: str) -> None:
    serving = chosen(gone=(deleted,))
    assert (serving.names, serving.model.stage) == (("tuned",), "merge")
    assert f"{deleted}/k" in serving.note
    for stages, gone in (
        (("fetch:model", "train"), (deleted,)),
        (("fetch:model", "train", "merge"), (deleted, "merge")),
    ):
        with pytest.raises(InvalidInput, match=f"{deleted}/k") as refused:
            chosen(stages=stages, gone=gone)
        assert refused.value.problems[0].hint == "ftrun resume r1"


def test_what_is_served_has_to_be_there() -> None:
    for stages in (("fetch:model",), ("fetch:model", "train")):
        with pytest.raises(InvalidInput, match=r"(fetch|train)/k") as refused:
            chosen(stages=stages, trainer={}, gone=("fetch", "train"))
        assert refused.value.problems[0].code == "missing-artifact"


def test_transformers_serves_the_merged_weights_beside_the_base() -> None:
    serving = chosen(no_vllm="vLLM is not for this machine")
    assert (serving.engine, serving.names, serving.adapter) == ("transformers", ("base", "tuned"), None)
    assert serving.note.endswith(": vLLM is not for this machine")
    arguments = command(serving, lambda ref: Path("/store") / str(ref), Path("python"), "127.0.0.1", 8000, 0)
    assert {"base=/store/fetch/k", "tuned=/store/merge/k"} < set(arguments)
    alone = chosen(no_vllm="so", gone=("fetch",))
    assert (alone.names, alone.model.stage) == (("tuned",), "merge")
    with pytest.raises(InvalidInput, match="transformers"):
        chosen(no_vllm="so", stages=("fetch:model", "train"))


def arguments_of(serving: Any) -> list[str]:
    return command(serving, lambda ref: Path("/store") / str(ref), Path("python"), "127.0.0.1", 8000, 0)


@pytest.mark.parametrize("no_vllm", [None, "vLLM is not for this machine"])
def test_both_engines_get_the_parsers(no_vllm: str | None) -> None:
    serving = chosen(no_vllm=no_vllm, serve={"tool_parser": "hermes", "reasoning_parser": "qwen3"})
    arguments = arguments_of(serving)
    assert arguments[arguments.index("--tool-call-parser") + 1] == "hermes"
    assert arguments[arguments.index("--reasoning-parser") + 1] == "qwen3"
    assert ("--enable-auto-tool-choice" in arguments) == (no_vllm is None)
    assert serving.no_tools == ""
    assert NO_TOOLS not in variables(serving.limits, None, {}, serving.no_tools)


def test_requests_with_tools_are_refused_with_the_option_to_set() -> None:
    serving = chosen(template=b"{{ '<tool_call>' }}")
    assert "serve r1 serve.tool_parser=hermes" in serving.no_tools
    assert variables(serving.limits, None, {}, serving.no_tools)[NO_TOOLS] == serving.no_tools
    assert not {"--tool-call-parser", "--reasoning-parser", "--enable-auto-tool-choice"} & set(arguments_of(serving))
    assert "does not know the format" in chosen().no_tools


def test_a_parser_that_only_vllm_has_is_left_out_without_it() -> None:
    serving = chosen(no_vllm="so", serve={"tool_parser": "gemma4", "reasoning_parser": "gemma4"})
    assert (serving.tool_parser, serving.reasoning_parser) == (None, None)
    assert "gemma4" in serving.no_tools


@pytest.mark.parametrize("no_vllm", [None, "vLLM is not for this machine"])
def test_both_engines_get_the_variables_of_the_template(no_vllm: str | None) -> None:
    def arguments(variables: dict[str, Any]) -> list[str]:
        serving = chosen(no_vllm=no_vllm, variables=variables)
        return command(serving, lambda ref: Path("/store") / str(ref), Path("python"), "127.0.0.1", 8000, 0)

    option = "--default-chat-template-kwargs"
    found = arguments({"enable_thinking": False})
    assert json.loads(found[found.index(option) + 1]) == {"enable_thinking": False}
    assert option not in arguments({})


def test_the_key_is_no_argument() -> None:
    serving = chosen()
    arguments = command(serving, lambda ref: Path("/store") / str(ref), Path("python"), "127.0.0.1", 8000, 2)
    assert "tuned=/store/train/k" in arguments
    assert arguments[arguments.index("--tensor-parallel-size") + 1] == "2"
    assert variables(serving.limits, "secret", {})[KEY] == "secret"
    assert KEY not in variables(serving.limits, None, {})
    assert not any("secret" in argument for argument in arguments)


def test_the_recipes_limits_reach_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    serving = chosen(serve={"max_requests": 3, "request_timeout": 1.5})
    monkeypatch.setenv(LIMITS, variables(serving.limits, None, {})[LIMITS])
    assert AuthMiddleware(None)._limits == request_limits.Limits(3, 4_000_000, 1.5, 3600)  # type: ignore[arg-type]


def test_the_middleware_gets_the_names_of_models_and_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    serving = chosen(serve={"allowed_hosts": ["*.example.com"]})
    made = variables(serving.limits, None, {}, models=serving.names, hosts=serving.allowed_hosts)
    assert json.loads(made[MODELS]) == list(serving.names)
    assert json.loads(made[HOSTS]) == ["*.example.com"]
    assert json.loads(variables(serving.limits, None, {}, hosts=())[HOSTS]) == []  # names of this machine only
    assert not {HOSTS, MODELS} & set(variables(serving.limits, None, {}))
