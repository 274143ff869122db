"""Ranges of the trainer's numbers. A value outside trains nothing, ruins the weights, or fails when training begins.

axolotl's schema has no bounds for these keys. Beyond each bound, axolotl 0.21, transformers 5, PEFT or torch fails or
does not train. `a.b` is a key below a key, `a[]` an item of a list, and `a.*` any key.
"""

from __future__ import annotations

from ftrun_plugins.axolotl.config.number_range import Range

FAILS = "the trainer fails on"
TOKEN_ID = "number of a token"  # noqa: S105  (a unit)
FRACTION = "steps, or a fraction of all steps if below 1"
MIN_TOKENS = 8  # room for a prompt and an answer with their marks; fewer than 2 train nothing

RANGES: dict[str, Range] = {
    # Steps and batches.
    "num_epochs": Range("trains nothing", gt=0),
    "max_steps": Range("axolotl ignores, so it trains all epochs", "optimizer steps", ge=1),
    "micro_batch_size": Range(FAILS, "rows", ge=1),
    "gradient_accumulation_steps": Range(FAILS, "batches", ge=1),
    "eval_batch_size": Range(FAILS, "rows", ge=1),
    # Lengths and packs.
    "sequence_len": Range("is too small for any row", "tokens", ge=MIN_TOKENS),
    "sample_packing_bin_size": Range("leaves no row in a pack", "rows per pack", ge=1),
    "sample_packing_group_size": Range("leaves no rows to pack", "rows", ge=1),
    "sample_packing_eff_est": Range("gives a wrong number of steps", "filled fraction of a pack", gt=0, le=1),
    # The optimizer. Some optimizers need a learning rate of 1, and none a higher one.
    "learning_rate": Range("trains nothing or ruins the weights", gt=0, le=1),
    "embedding_lr": Range("ruins the weights", ge=0, le=1),
    "embedding_lr_scale": Range("ruins the weights", "factor of the learning rate", ge=0),
    "loraplus_lr_ratio": Range("leaves half of the adapter untrained", "factor of the learning rate", gt=0),
    "loraplus_lr_embedding": Range("ruins the weights", ge=0, le=1),
    "lr_groups[].lr": Range("ruins the weights (0 freezes the group)", ge=0, le=1),
    "dion_lr": Range("trains nothing or ruins the weights", gt=0, le=1),
    "dion_momentum": Range("makes steps grow without end", ge=0, lt=1),
    "dion_rank_fraction": Range("leaves no rank to train", "fraction of the ranks", gt=0, le=1),
    "dion_rank_multiple_of": Range(FAILS, ge=1),
    "grokfast_alpha": Range("makes the mean of the gradients grow without end", ge=0, lt=1),
    "grokfast_lamb": Range("trains against slow gradients", ge=0),
    "qgalore_rank": Range(FAILS, ge=1),
    "qgalore_update_proj_gap": Range(FAILS, "steps", ge=1),
    "qgalore_scale": Range("trains nothing or in the wrong direction", gt=0),
    "qgalore_proj_bits": Range(FAILS, "bits", ge=1, le=8),
    "qgalore_proj_group_size": Range(FAILS, "weights", ge=1),
    "qgalore_cos_threshold": Range("is not a similarity of directions", ge=-1, le=1),
    "qgalore_gamma_proj": Range("makes the time between projections 0", ge=1),
    "qgalore_queue_size": Range(FAILS, "projections", ge=1),
    "lisa_n_layers": Range(FAILS, "layers; 0 turns LISA off", ge=0),
    "lisa_step_interval": Range(FAILS, "steps; 0 turns LISA off", ge=0),
    "spectrum_top_fraction": Range("is not a share of the layers", "0.5 or 50 for one half", gt=0, le=100),
    "weight_decay": Range("makes weights grow at each step", ge=0),
    "max_grad_norm": Range("is not a norm (0 turns clipping off)", ge=0),
    "adam_beta1": Range(FAILS, ge=0, lt=1),
    "adam_beta2": Range(FAILS, ge=0, lt=1),
    "adam_beta3": Range(FAILS, ge=0, lt=1),
    "adam_epsilon": Range("makes weights NaN, because Adam divides by 0 if a gradient is 0", gt=0),
    "adam_epsilon2": Range("makes weights NaN, because Adam divides by 0 if a gradient is 0", gt=0),
    "neftune_noise_alpha": Range("axolotl does not accept", gt=0),
    "seed": Range(FAILS, ge=0, le=2**32 - 1),
    # The schedule.
    "warmup_steps": Range(FAILS, "steps", ge=0),
    "warmup_ratio": Range("is not a fraction of the steps", "fraction of the steps", ge=0, le=1),
    "cosine_min_lr_ratio": Range(FAILS, "fraction of the learning rate", ge=0, le=1),
    "cosine_constant_lr_ratio": Range(FAILS, "fraction of the steps", ge=0, le=1),
    "jagged_restart_steps": Range("is not a number of steps", "steps; 0 turns restarts off", ge=0),
    "jagged_restart_warmup_steps": Range("makes the learning rate negative", "steps", ge=0),
    "jagged_restart_anneal_steps": Range("makes the learning rate negative", "steps", ge=0),
    # Losses.
    "eaft_alpha": Range("trains on the wrong tokens", ge=0),
    "eaft_k": Range(FAILS, "most likely tokens", ge=2),
    "kd_alpha": Range("trains away from the teacher", ge=0),
    "kd_beta": Range("is not a share", "0: forward divergence, 1: reverse divergence", ge=0, le=1),
    "kd_ce_alpha": Range("trains away from the answers", ge=0),
    "kd_temperature": Range("divides by 0 or turns probabilities around", gt=0),
    "kd_temperature_min": Range("divides by 0 or turns probabilities around", gt=0),
    "kd_trainer": Range("is neither on nor off", "0: off, 1: on", ge=0, le=1),
    "kd_online_topk": Range("axolotl does not accept", "tokens", ge=1),
    "kd_online_timeout": Range("ends each request immediately", "seconds", gt=0),
    "scaling_softmax_factor": Range("turns attention around", "0: axolotl's default", ge=0),
    "chunked_cross_entropy_num_chunks": Range(FAILS, "chunks; 0: axolotl's default", ge=0),
    "cut_cross_entropy_c_grad_chunk_size": Range("axolotl does not accept", "a multiple of 128", ge=0),
    # Adapters.
    "lora_r": Range(FAILS, ge=1),
    "lora_alpha": Range("turns the adapter off, so nothing is trained", "the scale is lora_alpha / lora_r", ge=1),
    "lora_dropout": Range("drops all inputs of the adapter", "fraction of the inputs", ge=0, lt=1),
    "lora_rank_pattern.*": Range(FAILS, ge=1),
    "lora_alpha_pattern.*": Range("turns the adapter off", ge=1),
    "peft.loftq_config.loftq_bits": Range("PEFT does not support", "bits: 2, 4 or 8", ge=2, le=8),
    "peft_layers_to_transform[]": Range("is not a layer", "number of a layer", ge=0),
    "peft_layer_replication[][]": Range("is not a layer", "number of a layer", ge=0),
    # Tokens and positions.
    "peft_trainable_token_indices[]": Range("is not a token", TOKEN_ID, ge=0),
    "peft_trainable_token_indices.*[]": Range("is not a token", TOKEN_ID, ge=0),
    "fix_untrained_tokens": Range("is not a token", TOKEN_ID, ge=0),
    "fix_untrained_tokens[]": Range("is not a token", TOKEN_ID, ge=0),
    "pose_split_on_token_ids[]": Range("is not a token", TOKEN_ID, ge=0),
    "pose_max_context_len": Range("is too small for any row", "tokens", ge=MIN_TOKENS),
    "pose_num_chunks": Range(FAILS, "chunks", ge=1),
    "pad_to_multiple_of": Range(FAILS, "tokens; 0 turns padding off", ge=0),
    # Quantization.
    "qat.group_size": Range(FAILS, "weights", ge=1),
    "qat.fake_quant_after_n_steps": Range("is not a number of steps", "steps", ge=0),
    "nvfp4_merge_aware_start_step": Range("is not a step", FRACTION, ge=0, whole_above=1),
    # Parallel training. The schema has bounds for what is not here.
    "context_parallel_size": Range(FAILS, "processes; 0: not parallel", ge=0),
    "sequence_parallel_degree": Range(FAILS, "processes; 0: not parallel", ge=0),
    "tensor_parallel_size": Range(FAILS, "processes; 0: not parallel", ge=0),
    "dp_shard_size": Range(FAILS, "processes; 0: not parallel", ge=0),
    "dp_replicate_size": Range(FAILS, "processes; 0: not parallel", ge=0),
    "expert_parallel_size": Range(FAILS, "processes; 0: not parallel", ge=0),
    "expert_parallel_num_nvl_bytes": Range(FAILS, "bytes", ge=0),
    "expert_parallel_num_rdma_bytes": Range(FAILS, "bytes", ge=0),
    "expert_parallel_token_capacity": Range("axolotl does not accept", "tokens", ge=1),
    "tiled_mlp_num_shards": Range(FAILS, "shards; 0: axolotl's default", ge=0),
    "moe_dequant_chunk_size": Range("axolotl does not accept", "experts", ge=1),
    "autotune_neighborhood": Range("axolotl does not accept", "steps around the best choice", ge=1),
    "fsdp_version": Range("is not a version of FSDP", ge=1, le=2),
    "fsdp_config.fsdp_version": Range("is not a version of FSDP", ge=1, le=2),
    "fsdp_config.version": Range("is not a version of FSDP", ge=1, le=2),
    "ddp_timeout": Range("ends training immediately", "seconds; 0: axolotl's default", ge=0),
    "ddp_bucket_cap_mb": Range(FAILS, "MB; 0: axolotl's default", ge=0),
    "gpu_memory_limit": Range("leaves no memory for the model", "GiB; 0: no limit", ge=0),
    "max_memory.*": Range("is not a size", "bytes", ge=0),
    # Logs, checkpoints and evaluations. If 0 is in the range, the trainer treats it like an absent key.
    "logging_steps": Range(FAILS, "steps", ge=1),
    "save_steps": Range("is not a number of steps", FRACTION, ge=0, whole_above=1),
    "eval_steps": Range("is not a number of steps", FRACTION, ge=0, whole_above=1),
    "saves_per_epoch": Range("is not a number of checkpoints", ge=0),
    "evals_per_epoch": Range("is not a number of evaluations", ge=0),
    "early_stopping_patience": Range("ends training at the first evaluation", "evaluations", ge=0),
    "loss_watchdog_threshold": Range("every loss exceeds, so training ends immediately", "loss", gt=0),
    "loss_watchdog_patience": Range("ends training immediately", "steps", ge=0),
    "torch_empty_cache_steps": Range(FAILS, "steps", ge=1),
    "save_total_limit": Range("removes each checkpoint", "checkpoints; 0: axolotl's default", ge=0),
    "gc_collect_steps": Range("never collects", "steps; 0 turns it off, -1: only around evaluations", ge=-1),
    "profiler_steps": Range("records nothing", "steps; 0 turns it off", ge=0),
    "profiler_steps_start": Range("is not a step", "steps", ge=0),
    "sync_profiler_steps": Range("records nothing", "steps; 0 turns it off", ge=0),
    "sync_profiler_start_step": Range("is not a step", "steps", ge=0),
    "num_generation_samples": Range("is not a number of answers", "answers", ge=0),
    "generation_max_new_tokens": Range(FAILS, "tokens", ge=1),
    "generation_temperature": Range(FAILS, "0 selects the most likely token", ge=0),
    "generation_top_k": Range(FAILS, "tokens; 0: all", ge=0),
    "generation_top_p": Range(FAILS, gt=0, le=1),
    "generation_prompt_ratio": Range("is not a fraction of the row", "fraction of the row", ge=0, le=1),
    "swanlab_completion_log_interval": Range(FAILS, "steps", ge=1),
    "swanlab_completion_max_buffer": Range("keeps no answer", "answers", ge=1),
    "otel_metrics_port": Range("is not a port", ge=1, le=65535),
    "total_num_tokens": Range("gives a wrong number of steps", "tokens; 0: counted", ge=0),
    "total_supervised_tokens": Range("gives wrong logs", "tokens; 0: counted", ge=0),
    # Processes that read data.
    "dataloader_num_workers": Range(FAILS, "processes", ge=0),
    "dataset_num_proc": Range(FAILS, "processes", ge=1),
    "dataloader_prefetch_factor": Range(FAILS, "batches; 0: axolotl's default", ge=0),
    "num_dataset_shards_to_save": Range(FAILS, "files", ge=1),
}

# Numbers without a range: any finite number has a meaning.
UNBOUNDED = {
    "scaling_softmax_bias": "an offset in both directions",
    "torch_compile_options.*": "options of torch's compiler have different ranges",
}
