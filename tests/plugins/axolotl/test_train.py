"""What ftrun adds to a trainer configuration where the recipe says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from ftrun_plugins.axolotl.train import with_defaults


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"sample_packing": True}, {"attn_implementation": "sdpa"}, id="rows of a pack are kept apart"),
        pytest.param(
            {"sample_packing": True, "attn_implementation": "flash_attention_2"},
            {"attn_implementation": "flash_attention_2"},
            id="by the attention that is asked for",
        ),
        pytest.param(
            {"lora_modules_to_save": ["embed_tokens", "lm_head"]},
            {"peft_ensure_weight_tying": True},
            id="a shared matrix stays one",
        ),
        pytest.param(
            {"lora_modules_to_save": ["lm_head"], "peft_ensure_weight_tying": False},
            {"peft_ensure_weight_tying": False},
            id="unless the recipe wants two",
        ),
        pytest.param({"lora_modules_to_save": ["score"]}, {"peft_ensure_weight_tying": None}, id="no shared matrix"),
        pytest.param({"adapter": "lora"}, {"peft_ensure_weight_tying": None, "attn_implementation": None}, id="plain"),
        pytest.param({"save_total_limit": 5}, {"save_total_limit": 5, "logging_steps": 1}, id="only what is missing"),
    ],
)
def test_defaults(values: dict[str, Any], expected: dict[str, Any]) -> None:
    config = with_defaults(values)
    assert {key: config.get(key) for key in expected} == expected
