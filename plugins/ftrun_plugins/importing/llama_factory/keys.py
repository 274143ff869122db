"""Keys of LLaMA-Factory by what becomes of them: other names, defaults to write out, and keys without a way in.

The keys are those of LLaMA-Factory 0.9.5 and of the training arguments of transformers that it accepts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Keys with the same meaning in axolotl, by their names there.
SAME: Mapping[str, str] = {
    "per_device_train_batch_size": "micro_batch_size",
    "per_device_eval_batch_size": "eval_batch_size",
    "gradient_accumulation_steps": "gradient_accumulation_steps",
    "learning_rate": "learning_rate",
    "num_train_epochs": "num_epochs",
    "max_steps": "max_steps",
    "lr_scheduler_type": "lr_scheduler",
    "lr_scheduler_kwargs": "lr_scheduler_kwargs",
    "warmup_steps": "warmup_steps",
    "warmup_ratio": "warmup_ratio",
    "optim": "optimizer",
    "optim_args": "optim_args",
    "weight_decay": "weight_decay",
    "adam_beta1": "adam_beta1",
    "adam_beta2": "adam_beta2",
    "adam_epsilon": "adam_epsilon",
    "max_grad_norm": "max_grad_norm",
    "neftune_noise_alpha": "neftune_noise_alpha",
    "seed": "seed",
    "tf32": "tf32",
    "torch_compile": "torch_compile",
    "group_by_length": "group_by_length",
    "logging_steps": "logging_steps",
    "save_steps": "save_steps",
    "save_strategy": "save_strategy",
    "save_total_limit": "save_total_limit",
    "save_only_model": "save_only_model",
    "eval_strategy": "eval_strategy",
    "evaluation_strategy": "eval_strategy",
    "eval_steps": "eval_steps",
    "load_best_model_at_end": "load_best_model_at_end",
    "metric_for_best_model": "metric_for_best_model",
    "greater_is_better": "greater_is_better",
    "early_stopping_steps": "early_stopping_patience",
    "dataloader_num_workers": "dataloader_num_workers",
    "dataloader_pin_memory": "dataloader_pin_memory",
    "dataloader_drop_last": "dataloader_drop_last",
    "dataloader_prefetch_factor": "dataloader_prefetch_factor",
    "ddp_timeout": "ddp_timeout",
}
LORA: Mapping[str, str] = {
    "lora_rank": "lora_r",
    "lora_alpha": "lora_alpha",
    "lora_dropout": "lora_dropout",
    "use_rslora": "peft_use_rslora",
    "use_dora": "peft_use_dora",
    "loraplus_lr_ratio": "loraplus_lr_ratio",
    "loraplus_lr_embedding": "loraplus_lr_embedding",
}
# Values that LLaMA-Factory uses for absent keys, by axolotl's names. axolotl has other defaults for some of them.
DEFAULTS: Mapping[str, Any] = {
    "sequence_len": 2048,
    "micro_batch_size": 8,
    "gradient_accumulation_steps": 1,
    "num_epochs": 3.0,
    "learning_rate": 5e-5,
    "lr_scheduler": "linear",
    "optimizer": "adamw_torch_fused",
    "weight_decay": 0.0,
    "max_grad_norm": 1.0,
    "save_steps": 500,
}
FOLDERS = "ftrun keeps results in its store; `ftrun show` names the folder"
REPORT = "the report of a run has the loss curve"
STAGE = "formatting and tokenizing are stages whose results ftrun keeps"
LOG = "it changes only what is logged"
SERVING = "it belongs to inference: see the sections `generate` and `serve`"
TOKEN = "ftrun takes the token of `hf auth login` or HF_TOKEN"  # noqa: S105
LEFT_OUT: Mapping[str, str] = {
    **dict.fromkeys(("output_dir", "overwrite_output_dir", "cache_dir", "offload_folder", "logging_dir"), FOLDERS),
    "plot_loss": REPORT,
    **dict.fromkeys(
        (
            "overwrite_cache", "preprocessing_num_workers", "preprocessing_batch_size", "tokenized_path",
            "data_shared_file_system",
        ),
        STAGE,
    ),
    **dict.fromkeys(
        (
            "print_param_status", "include_num_input_tokens_seen", "include_effective_tokens_per_second",
            "logging_first_step", "logging_strategy", "disable_tqdm", "log_level", "logging_nan_inf_filter",
        ),
        LOG,
    ),
    **dict.fromkeys(("hf_hub_token", "ms_hub_token", "om_hub_token"), TOKEN),
    **dict.fromkeys(("infer_backend", "infer_dtype", "use_kv_cache", "eval_num_beams", "max_new_tokens"), SERVING),
    "do_eval": "held-out rows are evaluated if there are any",
    "do_predict": "use evaluations: `ftrun recipe=… 'evals=[rouge]'`",
    "predict_with_generate": "use evaluations such as rouge and bleu in place of generation during the training",
    "compute_accuracy": "use evaluations such as exact_match",
    "eval_on_each_dataset": "the loss of held-out rows is one number",
    "low_cpu_mem_usage": "the trainer chooses how it loads the weights",
    "media_dir": "ftrun's rows hold text only",
    "use_unsloth": "it is a faster implementation of the same training; the optimization `fused_kernels` is ftrun's",
    "use_unsloth_gc": "it is another way to compute checkpointed activations",
    "use_kt": "it computes experts on the CPU; ftrun trains the same adapter on GPUs, which must hold the model",
    "use_v1_kernels": "it selects kernels of another device",
    "remove_unused_columns": "ftrun reports columns that it does not read",
    "ddp_find_unused_parameters": "the trainer sets it",
    "label_names": "the trainer sets it",
    "buffer_size": "it has an effect only with `streaming`",
    "master_addr": "`resources.train` says how many processes there are",
    "master_port": "`resources.train` says how many processes there are",
    "ray_init_kwargs": "ftrun starts the processes itself",
    "run_name": "it names the run of a tracker",
}  # fmt: skip
# Keys that act only together with another one, by the beginnings of their names.
DEPENDENT: Mapping[str, str] = {
    "galore_": "use_galore", "apollo_": "use_apollo", "badam_": "use_badam", "swanlab_": "use_swanlab",
    "pref_": "stage: dpo", "dpo_": "stage: dpo", "kto_": "stage: kto", "simpo_": "stage: dpo", "ppo_": "stage: ppo",
    "ref_model": "stage: dpo", "reward_model": "stage: ppo", "ld_alpha": "stage: dpo", "oft_": "finetuning_type: oft",
    "module_dropout": "finetuning_type: oft", "freeze_trainable": "finetuning_type: freeze",
    "freeze_extra": "finetuning_type: freeze", "asft_": "use_asft_loss", "eaft_": "use_eaft_loss",
    "pissa_iter": "pissa_init", "pissa_convert": "pissa_init", "fp8_": "fp8", "kt_": "use_kt",
    "vllm_": "inference", "sglang_": "inference", "export_": "export", "profiler_": "enable_torch_profiler",
    "hyper_parallel_": "use_hyper_parallel", "quantization_": "quantization_bit",
    "double_quantization": "quantization_bit",
}  # fmt: skip
OPTIMIZER = ("ftrun has no such optimizer with these settings", "choose an optimizer with train.optimizer")
PARALLEL = ("ftrun distributes a training by DeepSpeed or FSDP", "use the optimizations zero1, zero2 or zero3")
MODEL = ("it changes the architecture of the model", "leave it out, or use the model as it is")
LOSS = ("the trainer has no such loss", "leave it out to train with cross entropy")
VISION = ("ftrun's rows hold text only", "use rows and a model without media")
# Keys that have no way in if their value selects something: the reason and a hint.
REFUSED: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("use_galore", "use_apollo", "use_badam", "use_adam_mini"), OPTIMIZER),
    **dict.fromkeys(
        (
            "use_mca", "use_hyper_parallel", "tensor_model_parallel_size", "pipeline_model_parallel_size",
            "expert_model_parallel_size", "sequence_parallel",
        ),
        PARALLEL,
    ),
    **dict.fromkeys(("mixture_of_depths", "shift_attn", "use_llama_pro", "train_from_scratch", "rope_scaling"), MODEL),
    **dict.fromkeys(("use_asft_loss", "label_smoothing_factor", "moe_aux_loss_coef"), LOSS),
    **dict.fromkeys(
        (
            "image_max_pixels", "image_min_pixels", "video_max_pixels", "video_min_pixels", "video_fps",
            "video_maxlen", "use_audio_in_video", "audio_sampling_rate", "crop_to_patches", "image_do_pan_and_scan",
            "freeze_vision_tower", "freeze_multi_modal_projector", "freeze_language_model",
        ),
        VISION,
    ),
    "adapter_name_or_path": (
        "ftrun starts each training from a base model",
        "merge the adapter into its base model first, and name the merged folder",
    ),
    "pissa_init": ("the adapter would belong to changed base weights", "leave it out to start as LoRA does"),
    "streaming": ("`tokenize` prepares every row", "leave it out; dataset.limit limits the rows"),
    "new_special_tokens_config": ("new tokens get no descriptions", "list the tokens in add_special_tokens"),
    "split_special_tokens": ("special tokens in rows stay special tokens", "leave it out"),
    "upcast_layernorm": ("the trainer chooses the precision of layer norms", "leave it out"),
    "upcast_lmhead_output": ("the trainer chooses the precision of the last layer", "leave it out"),
    "disable_shuffling": ("the trainer shuffles the rows in each epoch", "leave it out"),
    "default_system": (
        "a system prompt is part of the rows", "add it to the rows: a column `system`, or a message of that role"
    ),
    "tool_format": ("the chat template says how tools are written", "leave it out and look at `ftrun preview`"),
    "enable_torch_profiler": ("the trainer is not profiled", "leave it out"),
    "resume_from_checkpoint": ("a checkpoint of another tool cannot be continued", "leave it out"),
    "push_to_hub": ("ftrun does not push to the hub", "leave it out, and push the merged folder"),
}  # fmt: skip
NOTHING: tuple[object, ...] = (None, False, 0, "", [], "none", "no")


def parent_of(key: str) -> str | None:
    """Return the key, or the setting, without which a key has no effect."""
    return next((parent for start, parent in DEPENDENT.items() if key.startswith(start)), None)
