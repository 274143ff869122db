"""Parsers of a server: their names in a recipe, the options of the engines, and requests with tools without one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.recipe.load import Loaded
from ftrun_plugins.serving.request_limits import asks_for_tools

Loading = Callable[..., Loaded]


@pytest.mark.parametrize(
    ("overrides", "code", "similar"),
    [
        (("serve.tool_parser=hermess",), "unknown-name", "hermes"),
        (("serve.tool_parser=qwen3-coder",), "unknown-name", "qwen3_coder"),
        (("serve.reasoning_parser=quen3",), "unknown-name", "qwen3"),
        (("serve=transformers", "serve.tool_parser=gemma4"), "invalid-value", None),
        (("serve=transformers", "serve.reasoning_parser=gemma4"), "invalid-value", None),
    ],
)
def test_a_parser_that_the_engine_lacks(
    overrides: tuple[str, ...], code: str, similar: str | None, loading: Loading
) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading(*overrides)
    (problem,) = caught.value.problems
    assert problem.code == code
    assert problem.at == f"override {overrides[-1]}"
    assert similar is None or similar in (problem.did_you_mean or ())
    assert problem.expected


@pytest.mark.parametrize("serve", ["none", "vllm", "vllm_adapter", "transformers"])
def test_parsers_of_every_engine(serve: str, loading: Loading) -> None:
    recipe = loading(f"serve={serve}", "serve.tool_parser=hermes", "serve.reasoning_parser=qwen3").recipe
    assert (recipe.serve.tool_parser, recipe.serve.reasoning_parser) == ("hermes", "qwen3")


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        (b'{"tools": [{"type": "function"}]}', True),
        (b'{"tools": [{"type": "function"}], "tool_choice": "auto"}', True),
        (b'{"tools": [{"type": "function"}], "tool_choice": "none"}', False),
        (b'{"tools": []}', False),
        (b'{"tools": null}', False),
        (b'{"messages": [{"role": "user", "content": "What are \\"tools\\"?"}]}', False),
        (b'{"tools": ', False),
        (b'["tools"]', False),
    ],
)
def test_requests_with_tools(body: bytes, asks: bool) -> None:
    assert asks_for_tools(body) == asks
