"""An imported recipe renders to the trainer configuration of the file, in every key that is not the recipe's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ftrun.cli.main import run_command
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import load
from ftrun_plugins.axolotl.config.build import build_trainer_config

OWN = ("base_model", "datasets", "val_set_size", "output_dir", "trust_remote_code", "dataset_prepared_path")
BASE = """\
base_model: owner/model
datasets:
  - {path: owner/name, type: alpaca}
val_set_size: 0.1
output_dir: ./out
dataset_prepared_path:
sequence_len: 2048
micro_batch_size: 2
gradient_accumulation_steps: 4
num_epochs: 3
learning_rate: 2e-4
optimizer: adamw_torch_fused
lr_scheduler: cosine
bf16: auto
"""
CONFIGURATIONS = {
    "whole model": "weight_decay: 0.1\nwarmup_ratio: 0.05\ngradient_checkpointing: true\n",
    "LoRA": "adapter: lora\nlora_r: 32\nlora_alpha: 16\nlora_dropout: 0.05\nlora_target_linear: true\n",
    "LoRA as the option": "adapter: lora\nlora_r: 16\nlora_alpha: 32\nlora_dropout: 0.0\nlora_target_linear: true\n",
    "LoRA of some modules": "adapter: lora\nlora_r: 8\nlora_alpha: 16\nlora_target_modules: [q_proj]\n",
    "LoRA of linear layers and some modules": "adapter: lora\nlora_r: 16\nlora_alpha: 32\nlora_dropout: 0.0\n"
    "lora_target_linear: true\nlora_target_modules: [gate_proj]\n",
    "QLoRA in 4 bits": "adapter: qlora\nload_in_4bit: true\nload_in_8bit: false\nlora_r: 64\nlora_alpha: 16\n"
    "lora_dropout: 0.1\nlora_target_linear: true\n",
    "LoRA in 8 bits": "adapter: lora\nload_in_8bit: true\nlora_r: 8\nlora_alpha: 16\nlora_target_linear: true\n",
    "packing": "sample_packing: true\npad_to_sequence_len: true\neval_sample_packing: false\n",
    "packing without padding": "sample_packing: true\neval_sample_packing: true\n",
    "checkpointing as the option": "gradient_checkpointing: true\n"
    "gradient_checkpointing_kwargs: {use_reentrant: false}\n",
    "kernels": "plugins: [axolotl.integrations.liger.LigerPlugin]\nliger_rope: true\nliger_rms_norm: true\n"
    "liger_fused_linear_cross_entropy: true\nadapter: lora\nlora_r: 8\nlora_alpha: 8\nlora_target_linear: true\n"
    "lora_mlp_kernel: true\nlora_qkv_kernel: true\nlora_o_kernel: true\n",
    "another plugin": "plugins: [axolotl.integrations.liger.LigerPlugin]\nliger_rms_norm: true\n",
    "tokens and templates": "chat_template: chatml\nspecial_tokens: {pad_token: <|end|>, eos_token: '<|im_end|>'}\n"
    "tokens: ['<|a|>', '${b}']\neot_tokens: ['<|im_end|>']\n",
    "FSDP": "fsdp_version: 2\nfsdp_config:\n  offload_params: false\n  auto_wrap_policy: TRANSFORMER_BASED_WRAP\n"
    "  transformer_layer_cls_to_wrap: LlamaDecoderLayer\n  state_dict_type: FULL_STATE_DICT\n",
    "a null that replaces a default": "tf32:\n",
    "trackers": "wandb_project: mine\nwandb_name: '1e5'\nwandb_mode: offline\n",
}


def rendered(text: str) -> dict[str, Any]:
    Path("theirs.yaml").write_text(text, encoding="utf-8")
    assert run_command(["import", "theirs.yaml", "--force"]) == 0
    values = build_trainer_config(load(["recipe=theirs_recipe.yaml"], plugins()).recipe).values
    return {key: value for key, value in values.items() if (key, value) != ("adapter", None)}  # of the option `full`


def expected(text: str) -> dict[str, Any]:
    """The trainer keys of a file. PyYAML reads 2e-4 as a text, and axolotl takes it as the number."""
    values = yaml.safe_load(text.replace("2e-4", "0.0002"))
    return {key: value for key, value in values.items() if key not in OWN}


@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_the_trainer_configuration_is_the_same(folder: Path, text: str) -> None:
    assert rendered(BASE + text) == expected(BASE + text)


@pytest.mark.parametrize("option", ["zero1", "zero2", "zero3", "zero3_offload"])
def test_a_deepspeed_file_with_the_content_of_an_option(folder: Path, option: str) -> None:
    conf = plugins().config_folders()[0].conf
    assert conf is not None
    content = yaml.safe_load((conf / "optimizations" / f"{option}.yaml").read_text())[option]["deepspeed"]
    (folder / "ds.json").write_text(json.dumps(content))
    text = BASE + "deepspeed: ds.json\n"
    assert rendered(text) == {**expected(text), "deepspeed": content}
    assert option in (folder / "theirs_recipe.yaml").read_text()


def test_a_deepspeed_file_of_another_content(folder: Path) -> None:
    content = {"zero_optimization": {"stage": 2, "overlap_comm": False}, "bf16": {"enabled": True}}
    (folder / "ds.json").write_text(json.dumps(content))
    text = BASE + "deepspeed: ds.json\n"
    assert rendered(text) == {**expected(text), "deepspeed": content}


def test_a_template_file_is_embedded(folder: Path) -> None:
    template = "{% for message in messages %}\n{{ message.content }}<|im_end|>{% endfor %}\n"
    (folder / "mine.jinja").write_text(template)
    text = BASE + "chat_template: jinja\nchat_template_jinja: mine.jinja\n"
    assert rendered(text) == {**expected(text), "chat_template_jinja": template}


def test_cut_cross_entropy_is_left_out_because_the_lock_cannot_have_its_package(folder: Path) -> None:
    plugins_of = "plugins: [axolotl.integrations.liger.LigerPlugin, {}]\nliger_rope: true\n"
    cut = plugins_of.format("axolotl.integrations.cut_cross_entropy.CutCrossEntropyPlugin")
    assert rendered(BASE + cut + "cut_cross_entropy: true\n") == rendered(BASE + plugins_of.replace(", {}", ""))
    rendered(BASE + cut)
    assert "#   plugins[1] (line" in (folder / "theirs_recipe.yaml").read_text()


def test_trackers_without_their_package_and_secrets_are_left_out(folder: Path) -> None:
    trackers = "use_mlflow: true\nmlflow_experiment_name: sql\ncomet_api_key: aaaabbbbccccdddd\n"
    swanlab = "plugins: [axolotl.integrations.swanlab.SwanLabPlugin]\nuse_swanlab: true\nswanlab_project: sql\n"
    assert rendered(BASE + trackers + swanlab) == rendered(BASE)
    rendered(BASE + trackers)
    assert "aaaabbbb" not in (folder / "theirs_recipe.yaml").read_text()


def test_an_attention_without_its_package_becomes_one_with_the_same_result(folder: Path) -> None:
    assert rendered(BASE + "attn_implementation: flash_attention_4\n")["attn_implementation"] == "sdpa"
