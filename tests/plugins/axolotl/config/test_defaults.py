"""What ftrun adds to a trainer configuration where the recipe says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from ftrun_plugins.axolotl.config.defaults import (
    axolotl_enables_kernels,
    offloads_to_cpu,
    resolve_auto_precision,
    with_defaults,
)


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
        pytest.param(
            {"lora_modules_to_save": ["lm_head"], "deepspeed": {"zero_optimization": {"stage": 3}}},
            {"peft_autocast_adapter_dtype": False},
            id="ZeRO 3 trains one precision",
        ),
        pytest.param(
            {"lora_modules_to_save": ["lm_head"], "deepspeed": {"zero_optimization": {"stage": 2}}},
            {"peft_autocast_adapter_dtype": None},
            id="ZeRO 2 any",
        ),
        pytest.param({"save_total_limit": 5}, {"save_total_limit": 5, "logging_steps": 1}, id="only what is missing"),
    ],
)
def test_defaults(values: dict[str, Any], expected: dict[str, Any]) -> None:
    config = with_defaults(values)
    assert {key: config.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("values", "bf16", "fp16"),
    [
        ({}, True, False),
        ({"bf16": "auto"}, True, False),
        ({"bf16": True}, True, False),
        ({"bf16": False, "fp16": True}, False, True),
        ({"bf16": False}, False, False),
    ],
)
def test_deepspeed_has_the_trainers_precision_before_the_model_is_loaded(
    values: dict[str, Any], bf16: bool, fp16: bool
) -> None:
    deepspeed = {"bf16": {"enabled": "auto"}, "fp16": {"enabled": "auto", "loss_scale": 0}, "gradient_clipping": "auto"}
    settled = resolve_auto_precision({**values, "deepspeed": deepspeed})["deepspeed"]
    assert settled == {
        "bf16": {"enabled": bf16},
        "fp16": {"enabled": fp16, "loss_scale": 0},
        "gradient_clipping": "auto",
    }


@pytest.mark.parametrize("deepspeed", [None, "zero3.json", {"bf16": {"enabled": True}, "fp16": {}}])
def test_what_a_recipe_says_of_precision_itself_stays(deepspeed: object) -> None:
    assert resolve_auto_precision({"bf16": False, "deepspeed": deepspeed})["deepspeed"] == deepspeed


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, False),
        ({"adapter": "lora"}, True),
        ({"adapter": "qlora"}, True),
        ({"adapter": "qlora", "load_in_8bit": True}, True),
        ({"adapter": "lora", "load_in_8bit": True}, False),
        ({"adapter": "lora", "rl": "dpo"}, False),
        ({"adapter": "lora", "lora_mlp_kernel": False}, False),
        ({"adapter": "lora", "lora_embedding_kernel": True}, False),
    ],
)
def test_when_axolotl_turns_on_its_kernels(config: dict[str, Any], expected: bool) -> None:
    assert axolotl_enables_kernels(config) is expected


@pytest.mark.parametrize(
    ("deepspeed", "expected"),
    [
        (None, False),
        ("zero3.json", False),
        ({}, False),
        ({"zero_optimization": None}, False),
        ({"zero_optimization": {"stage": 3}}, False),
        ({"zero_optimization": {"offload_optimizer": {"device": "cpu"}}}, True),
        ({"zero_optimization": {"offload_param": {"device": "cpu"}}}, True),
    ],
)
def test_when_deepspeed_moves_state_to_the_cpu(deepspeed: object, expected: bool) -> None:
    assert offloads_to_cpu(deepspeed) is expected
