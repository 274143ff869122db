"""Trainer keys that axolotl accepts and ftrun's stages cannot run, or that have no effect in them.

They select another method, another way to read data, or another launcher. A key that ftrun sets itself is in
`config.OWNED`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ftrun.api.issues import Issue, KeyPath
from ftrun.utils.schema_messages import format_value
from ftrun_plugins.axolotl.config.schema import plugin_classes

SELECTS_NOTHING: tuple[object, ...] = (None, False, 0, "", [])


@dataclass(frozen=True)
class Unsupported:
    """Why a key or a plugin does not work in ftrun, and what to do in its place."""

    reason: str
    do: str = "leave it out"


PREFERENCES = Unsupported("ftrun trains on answers, not by preferences or rewards")
VLLM = Unsupported("axolotl reads it only to train by rewards", "use the sections `generate` and `serve`")
REWARD_MODEL = Unsupported("ftrun trains models that write answers, not models that score them")
MULTIMODAL = Unsupported("ftrun's rows hold text only")
STREAMING = Unsupported(
    "the stage `tokenize` prepares every row before the training starts",
    "leave it out; dataset.limit bounds the rows, and the formatter `completion` takes plain texts",
)
DIFFUSION = Unsupported("a diffusion model cannot be generated from or served by ftrun, which does so token by token")
RAY = Unsupported("ftrun starts the trainer's processes itself", "set resources.train.gpu or resources.train.processes")
BATCH_SIZE = Unsupported(
    "axolotl counts the steps by it and fills the batches without it, so that some rows are never trained",
    "set micro_batch_size and gradient_accumulation_steps",
)
ONE_DATASET = Unsupported("the trainer gets one dataset", "leave it out; shuffle_merged_datasets shuffles that one")
HUB = Unsupported("ftrun does not push to the hub")
OFFLINE = Unsupported("the trainer runs offline", "leave it out; model.gated is for models that need a token")
BENCHMARK = Unsupported("the trainer runs offline", "leave it out; evals=[lm_eval] runs benchmarks")
OTHER_COMMAND = Unsupported("only other commands of axolotl read it")
MERGE = Unsupported("the stage `merge` chooses how it merges")
RESTARTS = Unsupported("the trainer then leaves a whole model, and the stage `merge` looks for an adapter")
ADAPTER = Unsupported(
    "the stage `merge` knows LoRA only, and would drop what else is trained", "adapter: lora, or qlora"
)
OTHER_FILES = Unsupported(
    "the other stages read the files of the model itself",
    "put all files into one folder: model.weights.origin=folder, model.weights.path=FOLDER",
)
ROWS = Unsupported(
    "ftrun reads and formats the rows itself", "use dataset.source, dataset.formatter, dataset.limit and dataset.parts"
)
INTERNAL = Unsupported("axolotl replaces its value")
NOT_READ = Unsupported("axolotl does not read it")

UNSUPPORTED: dict[str, Unsupported] = {
    **dict.fromkeys(
        (
            "rl", "rl_beta", "trl", "ebft", "dpo_beta", "dpo_label_smoothing", "dpo_ld_alpha", "dpo_loss_type",
            "dpo_loss_weights", "dpo_padding_free", "dpo_use_liger_kernel", "dpo_use_weighting",
            "precompute_ref_log_probs", "kto_desirable_weight", "kto_undesirable_weight", "orpo_alpha", "cpo_alpha",
            "simpo_gamma", "max_prompt_len",
        ),
        PREFERENCES,
    ),
    "vllm": VLLM,
    **dict.fromkeys(
        ("reward_model", "process_reward_model", "center_rewards_coefficient", "num_labels"), REWARD_MODEL
    ),
    **dict.fromkeys(
        ("processor_type", "processor_kwargs", "image_size", "image_resize_algorithm", "role_boundaries"), MULTIMODAL
    ),
    **dict.fromkeys(
        (
            "streaming", "streaming_multipack_buffer_size", "pretrain_multipack_attn",
            "pretrain_multipack_buffer_size", "pretraining_sample_concatenation", "skip_prepare_dataset",
            "is_preprocess",
        ),
        STREAMING,
    ),
    **dict.fromkeys(("diffusion_lm", "diffusion", "diffusion_decision"), DIFFUSION),
    **dict.fromkeys(
        ("use_ray", "ray_num_workers", "ray_run_name", "resources_per_worker", "local_rank", "world_size"), RAY
    ),
    "batch_size": BATCH_SIZE,
    "shuffle_before_merging_datasets": ONE_DATASET,
    **dict.fromkeys(("hub_strategy", "hub_revision"), HUB),
    "hf_use_auth_token": OFFLINE,
    **dict.fromkeys(("do_bench_eval", "bench_dataset", "bench_split", "lm_eval_tasks"), BENCHMARK),
    **dict.fromkeys(
        (
            "gradio_title", "gradio_share", "gradio_server_name", "gradio_server_port", "gradio_max_new_tokens",
            "gradio_temperature", "export", "quantization", "strict",
        ),
        OTHER_COMMAND,
    ),
    **dict.fromkeys(("merge_lora", "merge_method"), MERGE),
    "relora": RESTARTS,
    **dict.fromkeys(
        (
            "mora", "mixlora_num_experts", "mixlora_top_k", "mixlora_router_aux_loss_coef",
            "mixlora_router_init_range", "mixlora_jitter_noise", "mixlora_expert_lora_r",
            "mixlora_expert_lora_alpha", "mixlora_expert_lora_dropout",
        ),
        ADAPTER,
    ),
    **dict.fromkeys(("base_model_config", "tokenizer_config"), OTHER_FILES),
    **dict.fromkeys(("axolotl_config_path", "device"), INTERNAL),
    **dict.fromkeys(("heads_k_stride", "ring_attn_func", "lr_div_factor", "preprocess_iterable"), NOT_READ),
}  # fmt: skip

# Values of keys that otherwise work.
UNSUPPORTED_VALUES: dict[tuple[str, str], Unsupported] = {
    ("adapter", "llama-adapter"): ADAPTER,
    ("adapter", "mixlora"): ADAPTER,
    ("adapter", "mora"): ADAPTER,
}

# Keys of axolotl's dataset entry that only its own way to read rows uses.
UNSUPPORTED_ENTRY_KEYS: dict[str, Unsupported] = dict.fromkeys(
    (
        "path", "name", "split", "data_files", "ds_type", "type", "revision", "trust_remote_code", "shards",
        "shards_idx", "preprocess_shards", "weight",
    ),
    ROWS,
)  # fmt: skip

UNSUPPORTED_PLUGINS: dict[str, Unsupported] = {
    **dict.fromkeys(("DiffusionPlugin", "DiffusionDecisionPlugin"), DIFFUSION),
    "NemoGymPlugin": PREFERENCES,
    "HatcheryPlugin": Unsupported("it trains on servers elsewhere, and leaves no weights here"),
}


def unsupported(values: Mapping[str, object], entry: Mapping[str, object]) -> Iterator[Issue]:
    """Yield what ftrun cannot run, each with the reason and what to do.

    Args:
        values: A merged configuration.
        entry: The recipe's keys of axolotl's dataset entry.
    """
    for key, why in UNSUPPORTED.items():
        yield from _refuse((key,), key, values.get(key), why)
    for key, why in UNSUPPORTED_ENTRY_KEYS.items():
        yield from _refuse(("datasets", 0, key), f"dataset.trainer.{key}", entry.get(key), why)
    for (key, value), why in UNSUPPORTED_VALUES.items():
        if values.get(key) == value:
            yield from _refuse((key,), key, value, why)
    for name in sorted(plugin_classes(values) & UNSUPPORTED_PLUGINS.keys()):
        why = UNSUPPORTED_PLUGINS[name]
        yield Issue("unsupported-key", ("plugins",), f"`plugins` has {name}, but {why.reason}", hint=why.do)


def _refuse(path: KeyPath, name: str, value: object, why: Unsupported) -> Iterator[Issue]:
    if value not in SELECTS_NOTHING:
        yield Issue("unsupported-key", path, f"`{name}` is {format_value(value)}, but {why.reason}", hint=why.do)
