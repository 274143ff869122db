"""Trainer keys that axolotl accepts but ftrun's stages do not support, or in which they have no effect.

They select another method, another way to read data, or another launcher. Keys that ftrun sets itself are in
`build.RESERVED_KEYS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ftrun.api.issues import Issue, KeyPath
from ftrun.utils.schema_messages import format_value
from ftrun_plugins.axolotl.config.schema import plugin_classes

SELECTS_NOTHING: tuple[object, ...] = (None, False, 0, "", [])


@dataclass(frozen=True)
class Limitation:
    """Reason why a key or plugin does not work in ftrun, and a hint for what to do instead."""

    reason: str
    hint: str = "leave it out"


TEACHER = Limitation("the rows contain no probabilities of a teacher", "leave it out; use kd_online_server_base_url")
PREFERENCES = Limitation(
    "ftrun trains on answers, not on preferences or rewards",
    "run `axolotl train` for this method; to train on the good answers alone, leave the key out",
)
VLLM = Limitation("axolotl reads it only for training on rewards", "use the sections `generate` and `serve`")
REWARD_MODEL = Limitation(
    "ftrun trains models that generate answers, not models that score them", "run `axolotl train` for this method"
)
MULTIMODAL = Limitation(
    "ftrun's rows contain only text", "to train on the text alone, leave it out; `axolotl train` reads images and sound"
)
STREAMING = Limitation(
    "the stage `tokenize` prepares every row before training starts",
    "leave it out; dataset.limit limits the rows, and the formatter `completion` reads plain texts",
)
DIFFUSION = Limitation(
    "ftrun generates and serves token by token, which a diffusion model does not support",
    "run `axolotl train` for this method",
)
RAY = Limitation("ftrun starts the trainer's processes itself", "set resources.train.gpu or resources.train.processes")
BATCH_SIZE = Limitation(
    "axolotl counts steps with it but fills batches without it, so some rows are never trained",
    "set micro_batch_size and gradient_accumulation_steps",
)
ONE_DATASET = Limitation("the trainer gets one dataset", "leave it out; shuffle_merged_datasets shuffles that dataset")
HUB = Limitation("ftrun does not push to the hub")
OFFLINE = Limitation("the trainer runs offline", "leave it out; model.gated is for models that need a token")
BENCHMARK = Limitation("the trainer runs offline", "leave it out; evals=[lm_eval] runs benchmarks")
OTHER_COMMAND = Limitation("only other commands of axolotl read it")
MERGE = Limitation("the stage `merge` selects the merge method itself")
RESTARTS = Limitation("it makes the trainer write a whole model, and the stage `merge` needs an adapter")
ADAPTER = Limitation(
    "the stage `merge` supports only LoRA and would drop other trained weights", "use adapter: lora or adapter: qlora"
)
OTHER_FILES = Limitation(
    "the other stages read the files of the model itself",
    "put all files into one folder and set model.weights.origin=folder model.weights.path=FOLDER",
)
ROWS = Limitation(
    "ftrun reads and formats the rows itself", "use dataset.source, dataset.formatter, dataset.limit and dataset.parts"
)
INTERNAL = Limitation("axolotl overwrites its value")
NOT_READ = Limitation("axolotl does not read it")
ROW_LENGTH = Limitation(
    "the stage `tokenize` has already counted and checked the rows that the trainer would drop",
    "leave it out; sequence_len limits all rows, and dataset.filters removes rows",
)
DUPLICATES = Limitation(
    "the stage `tokenize` has already counted and checked the rows that the trainer would drop",
    "leave it out; use dataset.filters=[{distinct: true}]",
)
SHARDS = Limitation(
    "the stage `tokenize` has already counted and checked the rows that the trainer would drop",
    "leave it out; dataset.limit limits the rows",
)

UNSUPPORTED: dict[str, Limitation] = {
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
    **dict.fromkeys(("relora", "relora_cpu_offload", "relora_prune_method", "relora_prune_ratio"), RESTARTS),
    **dict.fromkeys(("min_sample_len", "eval_sequence_len"), ROW_LENGTH),
    "dataset_exact_deduplication": DUPLICATES,
    **dict.fromkeys(("dataset_shard_num", "dataset_shard_idx"), SHARDS),
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
    **dict.fromkeys(
        (
            "heads_k_stride", "ring_attn_func", "lr_div_factor", "preprocess_iterable",
            "is_falcon_derived_model",
        ),
        NOT_READ,
    ),
}  # fmt: skip

# Single values of keys that are supported otherwise.
UNSUPPORTED_VALUES: dict[tuple[str, str], Limitation] = {
    ("adapter", "llama-adapter"): ADAPTER,
    ("adapter", "mixlora"): ADAPTER,
    ("adapter", "mora"): ADAPTER,
}

# Keys of axolotl's dataset entry that only its own data loading reads.
UNSUPPORTED_ENTRY_KEYS: dict[str, Limitation] = {
    **dict.fromkeys(
        (
            "path", "name", "split", "data_files", "ds_type", "type", "revision", "trust_remote_code", "shards",
            "shards_idx", "preprocess_shards", "weight", "input_format", "field", "field_human", "field_model",
            "field_messages", "field_tools", "field_thinking", "message_field_role", "message_field_content",
        ),
        ROWS,
    ),
    "conversation": Limitation("axolotl does not read it", "set train.chat_template"),
    "input_transform": PREFERENCES,
    **dict.fromkeys(("logprobs_field", "temperature"), TEACHER),
}  # fmt: skip

UNSUPPORTED_PLUGINS: dict[str, Limitation] = {
    **dict.fromkeys(("DiffusionPlugin", "DiffusionDecisionPlugin"), DIFFUSION),
    "NemoGymPlugin": PREFERENCES,
    "LMEvalPlugin": BENCHMARK,
    "HatcheryPlugin": Limitation("it trains on remote servers and does not return weights"),
}


def check_unsupported(values: Mapping[str, object], entry: Mapping[str, object]) -> Iterator[Issue]:
    """Yield an issue with reason and hint for each key, value and plugin that ftrun does not support.

    Args:
        values: The merged configuration.
        entry: The recipe's keys of axolotl's dataset entry.
    """
    for key, why in UNSUPPORTED.items():
        yield from _check_value((key,), key, values.get(key), why)
    for key, why in UNSUPPORTED_ENTRY_KEYS.items():
        yield from _check_value(("datasets", 0, key), f"dataset.trainer.{key}", entry.get(key), why)
    for (key, value), why in UNSUPPORTED_VALUES.items():
        if values.get(key) == value:
            yield from _check_value((key,), key, value, why)
    for name in sorted(plugin_classes(values) & UNSUPPORTED_PLUGINS.keys()):
        why = UNSUPPORTED_PLUGINS[name]
        yield Issue("unsupported-key", ("plugins",), f"`plugins` has {name}, but {why.reason}", hint=why.hint)


def _check_value(path: KeyPath, name: str, value: object, why: Limitation) -> Iterator[Issue]:
    if value not in SELECTS_NOTHING:
        yield Issue("unsupported-key", path, f"`{name}` is {format_value(value)}, but {why.reason}", hint=why.hint)
