"""Each rule by which a trainer configuration becomes one that a CPU can train, and the note that it leaves."""

from __future__ import annotations

from typing import Any

import pytest

from ftrun_plugins.axolotl.config.cpu_fallback import FUSED_KERNELS, adapt_to_cpu

# What every adapted configuration has; a recipe that says so already gets no note.
CPU = {
    "bf16": False,
    "fp16": False,
    "tf32": False,
    **dict.fromkeys(FUSED_KERNELS, False),
    "attn_implementation": "sdpa",
}
LIGER = "axolotl.integrations.liger.LigerPlugin"
CUT = "axolotl.integrations.cut_cross_entropy.CutCrossEntropyPlugin"


@pytest.mark.parametrize(
    ("given", "expected", "notes"),
    [
        pytest.param({}, {}, [], id="nothing"),
        *(
            pytest.param({key: value}, {key: False}, [f"{key}: {value} -> false"], id=f"{key} {value}")
            for key, value in {"bf16": "auto", "fp16": "true", "tf32": "true", "fp8": "true"}.items()
        ),
        pytest.param({"bfloat16": True}, {"bfloat16": False}, ["bfloat16: true -> false"], id="bfloat16"),
        pytest.param({"float16": True}, {"float16": False}, ["float16: true -> false"], id="float16"),
        pytest.param({"bf16": False}, {}, [], id="a precision that is off already"),
        *(
            pytest.param({key: True}, {}, [f"{key}: true -> left out"], id=key)
            for key in ("load_in_4bit", "load_in_8bit", "quantize_moe_experts", "torch_compile")
        ),
        pytest.param({"load_in_4bit": False}, {}, [], id="4-bit weights that are off already"),
        pytest.param({"adapter": "qlora"}, {"adapter": "lora"}, ["adapter: qlora -> lora"], id="qlora"),
        pytest.param({"adapter": "lora"}, {"adapter": "lora"}, [], id="lora"),
        *(
            pytest.param({key: True}, {}, [f"{key}: true -> false"], id=key)
            for key in ("lora_mlp_kernel", "lora_qkv_kernel", "lora_o_kernel", "lora_embedding_kernel")
        ),
        pytest.param(
            {"attn_implementation": "flash_attention_2"},
            {},
            ["attn_implementation: flash_attention_2 -> sdpa"],
            id="flash attention",
        ),
        pytest.param({"attn_implementation": "eager"}, {"attn_implementation": "eager"}, [], id="eager attention"),
        *(
            pytest.param({"optimizer": old}, {"optimizer": "adamw_torch"}, [f"optimizer: {old} -> adamw_torch"], id=old)
            for old in (
                "adamw_bnb_8bit", "adamw_torch_fused", "paged_adamw_32bit", "adamw_torch_8bit", "adamw_torch_4bit",
                "ao_adamw_fp8", "ademamix",
            )
        ),
        pytest.param({"optimizer": "adamw_torch"}, {"optimizer": "adamw_torch"}, [], id="adamw_torch"),
        pytest.param({"optimizer": "adafactor"}, {"optimizer": "adafactor"}, [], id="adafactor"),
        pytest.param(
            {"plugins": [LIGER], "liger_rope": True, "liger_swiglu": True, "lora_r": 8},
            {"plugins": [], "lora_r": 8},
            ["plugin LigerPlugin -> left out, with liger_rope, liger_swiglu"],
            id="liger and its keys",
        ),
        pytest.param(
            {"plugins": ["mine.Plugin", CUT], "liger_rope": True},
            {"plugins": ["mine.Plugin"], "liger_rope": True},
            ["plugin CutCrossEntropyPlugin -> left out"],
            id="one plugin of two",
        ),
        pytest.param({"plugins": ["mine.Plugin"]}, {"plugins": ["mine.Plugin"]}, [], id="a plugin that needs no GPU"),
        pytest.param({"deepspeed": "zero2.json"}, {}, ["deepspeed: zero2.json -> left out"], id="DeepSpeed"),
        pytest.param({"learning_rate": 0.1, "seed": 7}, {"learning_rate": 0.1, "seed": 7}, [], id="other keys"),
    ],
)  # fmt: skip
def test_a_rule(given: dict[str, Any], expected: dict[str, Any], notes: list[str]) -> None:
    before = dict(given)
    assert adapt_to_cpu(given, 1) == ({**CPU, **expected}, notes)
    assert given == before


def test_several_processes_keep_deepspeed() -> None:
    assert adapt_to_cpu({"deepspeed": "zero2.json"}, 2) == ({**CPU, "deepspeed": "zero2.json"}, [])
