"""Readers of the trainer keys: the stages that read each key of the pinned axolotl.

The stages get their keys from this table, and `validate` refuses the keys without a reader. A key may have several
readers. If a new version of axolotl brings a key that is not here, a test fails: look up in its source who reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Reader = Literal["tokenize", "train", "merge", "serve", "ftrun", "unread"]

_KEYS: Mapping[Reader, str] = {
    # Keys that change token ids, labels or the choice of rows. The stage gets no other keys.
    "tokenize": """
        added_tokens_overrides chat_template chat_template_jinja chat_template_kwargs default_system_message
        eot_tokens excess_length_strategy sequence_len special_tokens tokenizer_legacy tokenizer_type
        tokenizer_use_fast tokenizer_use_mistral_common tokens train_on_inputs
    """,
    # Keys on which a merge depends. Other properties of the adapter come from its own files.
    "merge": """
        adapter lora_alpha lora_modules_to_save lora_r model_type peft_use_dora peft_use_rslora special_tokens
        tokenizer_type tokens
    """,
    # Keys that decide how the tuned model is served: the layout of the adapter, and the template.
    "serve": """
        adapter added_tokens_overrides chat_template lora_modules_to_save lora_r peft_use_dora tokens
    """,
    # Keys that only ftrun sets. `build.RESERVED_KEYS` says what to use instead.
    "ftrun": """
        auto_resume_from_checkpoints base_model dataset_prepared_path datasets hub_model_id lora_model_dir
        model_revision output_dir pretraining_dataset push_dataset_to_hub resume_from_checkpoint revision_of_model
        test_datasets trust_remote_code val_set_size
    """,
    # Keys without an effect in a run of ftrun: those that axolotl itself does not read, those of other methods
    # and commands, and those that a stage would contradict. `unsupported_keys` has the reasons.
    "unread": """
        axolotl_config_path base_model_config batch_size bench_dataset bench_split center_rewards_coefficient
        cpo_alpha dataset_exact_deduplication dataset_processes dataset_shard_idx dataset_shard_num device
        diffusion diffusion_decision diffusion_lm do_bench_eval dpo_beta dpo_generate_during_eval dpo_label_smoothing
        dpo_ld_alpha dpo_loss_type dpo_loss_weights dpo_norm_loss dpo_padding_free dpo_use_liger_kernel
        dpo_use_logits_to_keep dpo_use_weighting eager_attention ebft eval_max_new_tokens eval_sequence_len
        eval_table_size evaluation_strategy export flash_attention flash_attn_rms_norm flex_attention
        fsdp_final_state_dict_type gc_steps gradio_max_new_tokens gradio_server_name gradio_server_port gradio_share
        gradio_temperature gradio_title hatchery heads_k_stride hf_use_auth_token hub_revision hub_strategy
        image_resize_algorithm image_size is_falcon_derived_model is_preprocess kto_desirable_weight
        kto_undesirable_weight lm_eval_batch_size lm_eval_model lm_eval_post_train lm_eval_tasks local_rank
        lr_div_factor max_packed_sequence_len max_prompt_len merge_lora merge_method min_sample_len
        mixlora_expert_lora_alpha mixlora_expert_lora_dropout mixlora_expert_lora_r mixlora_jitter_noise
        mixlora_num_experts mixlora_router_aux_loss_coef mixlora_router_init_range mixlora_top_k mora
        nemo_gym_auto_clone nemo_gym_auto_start nemo_gym_config_paths nemo_gym_datasets nemo_gym_dir nemo_gym_enabled
        nemo_gym_head_port nemo_gym_max_turns nemo_gym_model_name nemo_gym_multi_turn nemo_gym_run_timeout
        nemo_gym_server_timeout nemo_gym_verify_timeout noisy_embedding_alpha num_labels orpo_alpha
        precompute_ref_log_probs preprocess_iterable pretrain_multipack_attn pretrain_multipack_buffer_size
        pretraining_sample_concatenation process_reward_model processor_kwargs processor_type quantization
        ray_num_workers ray_run_name relora relora_cpu_offload relora_prune_method relora_prune_ratio
        resources_per_worker reward_model ring_attn_func rl rl_beta role_boundaries rope_scaling rpo_alpha
        s2_attention sage_attention sdp_attention shuffle_before_merging_datasets simpo_gamma skip_prepare_dataset
        streaming streaming_multipack_buffer_size strict tokenizer_config trl use_ray vllm world_size
        xformers_attention
    """,
    # Keys that training reads: axolotl itself, and the libraries that get them from it.
    "train": """
        accelerator_config activation_offloading adam_beta1 adam_beta2 adam_beta3 adam_epsilon adam_epsilon2 adapter
        added_tokens_overrides attn_implementation auto_find_batch_size autotune_cache_path autotune_neighborhood
        autotune_profiles balance_labels batch_flattening bf16 bfloat16 bnb_config_kwargs chat_template
        chat_template_jinja chat_template_kwargs chunked_cross_entropy chunked_cross_entropy_num_chunks
        cls_model_config comet_api_key comet_experiment_config comet_experiment_key comet_mode comet_online
        comet_project_name comet_workspace context_parallel context_parallel_size coreweave cosine_constant_lr_ratio
        cosine_min_lr_ratio curriculum_sampling cut_cross_entropy cut_cross_entropy_accum_c_fp32
        cut_cross_entropy_c_grad_chunk_size dataloader_drop_last dataloader_num_workers dataloader_pin_memory
        dataloader_prefetch_factor dataset_keep_in_memory dataset_num_proc ddp ddp_broadcast_buffers ddp_bucket_cap_mb
        ddp_find_unused_parameters ddp_timeout deepcompile deepspeed default_system_message dense_mixer
        device_map dion_lr
        dion_momentum dion_rank_fraction dion_rank_multiple_of do_causal_lm_eval dp_replicate_size dp_shard_size
        dsv4_bf16_all dsv4_fp4_grouped_mode dsv4_fp8_lora_kernel dsv4_fp8_nonexpert_mode dsv4_shared_mlp_lora_kernel
        dynamic_checkpoint eaft_alpha eaft_k early_stopping_patience embedding_lr embedding_lr_scale
        embeddings_skip_upcast eot_tokens eval_batch_size eval_causal_lm_metrics eval_on_start eval_sample_packing
        eval_steps eval_strategy evals_per_epoch excess_length_strategy experimental_skip_move_to_device
        expert_backend expert_parallel_backend expert_parallel_dispatch_chunks expert_parallel_fallback_on_unsupported
        expert_parallel_num_nvl_bytes expert_parallel_num_rdma_bytes expert_parallel_save_dispatch
        expert_parallel_size expert_parallel_token_capacity experts_implementation fa_varlen_kwargs_in_collator
        fix_untrained_tokens flash_attn_cross_entropy flash_attn_d512 flash_attn_fuse_mlp flash_optimum
        flex_attn_compile_kwargs float16 float32 fp16 fp32_norm_classes fp32_norms fp8 fp8_config
        fp8_enable_fsdp_float8_all_gather freeze_mm_modules fsdp_config fsdp_version full_determinism
        fused_attn_kernel gc_collect_steps gemma4_fp8_nonexpert gemma4_hybrid_attn_impl gemma4_nf4_nonexpert
        generate_samples generation_do_sample generation_max_new_tokens generation_prompt_ratio generation_temperature
        generation_top_k generation_top_p gptq gpu_memory_limit gradient_accumulation_steps gradient_checkpointing
        gradient_checkpointing_kwargs greater_is_better grokfast_alpha grokfast_lamb group_by_length
        hf_mlflow_log_artifacts include_tkps include_tokens_per_second is_llama_derived_model is_mistral_derived_model
        is_qwen_derived_model jagged_restart_anneal_steps jagged_restart_steps jagged_restart_warmup_steps kd_alpha
        kd_beta kd_ce_alpha kd_normalize_topk kd_online_server kd_online_server_base_url kd_online_timeout
        kd_online_topk kd_temperature kd_temperature_min kd_trainer label_balance_window_optim_steps
        large_head_attention layer_offloading learning_rate liger_cross_entropy liger_fused_linear_cross_entropy
        liger_glu_activation liger_kernel_impl liger_layer_norm liger_rms_norm liger_rms_norm_gated liger_rope
        liger_swiglu liger_use_token_scaling lisa_layers_attribute lisa_n_layers lisa_step_interval
        llama4_linearized_experts load_best_model_at_end load_in_4bit load_in_8bit logging_nan_inf_filter
        logging_steps lora_alpha lora_alpha_pattern lora_dropout lora_embedding_kernel lora_fan_in_fan_out
        lora_fp32_gradients lora_mlp_kernel lora_modules_to_save lora_o_kernel lora_on_cpu lora_qkv_kernel lora_r
        lora_rank_pattern lora_target_linear lora_target_modules lora_target_parameters loraplus_lr_embedding
        loraplus_lr_ratio loss_watchdog_patience loss_watchdog_threshold low_cpu_mem_usage lr_groups
        lr_quadratic_warmup lr_scheduler lr_scheduler_kwargs max_grad_norm max_memory max_steps
        mean_resizing_embeddings metric_for_best_model micro_batch_size mlflow_experiment_name mlflow_run_name
        mlflow_tracking_uri model_config model_kwargs model_quantization_config model_quantization_config_kwargs
        model_type moe_bnb_fast moe_dequant_chunk_size moe_grouped_backend multipack_real_batches neftune_noise_alpha
        nf4_backend nonexpert_quantization num_dataset_shards_to_save num_epochs num_generation_samples
        nvfp4_merge_aware nvfp4_merge_aware_start_step optim_args optim_target_modules optimizer otel_metrics_host
        otel_metrics_port overrides_of_model_config overrides_of_model_kwargs pad_to_multiple_of pad_to_sequence_len
        peft peft_autocast_adapter_dtype peft_ensure_weight_tying peft_init_lora_weights peft_layer_replication
        peft_layers_pattern peft_layers_to_transform peft_trainable_token_indices peft_use_dora peft_use_rslora
        ple_cpu_offload plugins pose_max_context_len pose_num_chunks pose_split_on_token_ids profiler_steps
        profiler_steps_start qat qgalore_cos_threshold qgalore_gamma_proj qgalore_proj_bits qgalore_proj_group_size
        qgalore_proj_quant qgalore_proj_type qgalore_queue_size qgalore_rank qgalore_scale qgalore_update_proj_gap
        qlora_sharded_model_loading quantize_moe_experts reinit_weights remove_unused_columns
        resize_token_embeddings_to_32x sample_packing sample_packing_bin_size sample_packing_eff_est
        sample_packing_group_size sample_packing_mp_start_method sample_packing_sequentially save_first_step
        save_only_model save_safetensors save_steps save_strategy save_total_limit saves_per_epoch scaling_softmax
        scaling_softmax_bias scaling_softmax_factor sdpa_varlen seed selective_checkpointing sequence_len
        sequence_parallel_degree shrink_embeddings shuffle_merged_datasets special_tokens spectrum_model_name
        spectrum_top_fraction swanlab_api_host swanlab_api_key swanlab_completion_log_interval
        swanlab_completion_max_buffer swanlab_description swanlab_experiment_name swanlab_lark_secret
        swanlab_lark_webhook_url swanlab_log_completions swanlab_log_model swanlab_mode swanlab_project
        swanlab_web_host swanlab_workspace sync_profiler_start_step sync_profiler_steps tensor_parallel_size tf32
        tiled_mlp tiled_mlp_num_shards tiled_mlp_use_original_mlp tokenizer_legacy tokenizer_save_jinja_files
        tokenizer_type tokenizer_use_fast tokenizer_use_mistral_common tokens torch_compile torch_compile_backend
        torch_compile_mode torch_compile_options torch_compile_regional torch_empty_cache_steps torchdistx_path
        total_num_tokens total_supervised_tokens trackio_project_name trackio_run_name trackio_space_id
        train_on_inputs trainer_cls type_of_model unfrozen_parameters use_comet use_dft use_dsv4_kernels use_eaft
        use_glm_dsa_kernels use_kernels use_mlflow use_onebitllms use_otel_metrics use_pose use_scattermoe
        use_sonicmoe use_swanlab use_tensorboard use_trackio use_wandb wandb_entity wandb_log_model wandb_mode
        wandb_name wandb_project wandb_run_id wandb_watch warmup_ratio warmup_steps weight_decay
    """,
}

KEYS_BY_READER: Mapping[Reader, frozenset[str]] = {reader: frozenset(keys.split()) for reader, keys in _KEYS.items()}


def select_keys(reader: Reader, values: Mapping[str, object]) -> dict[str, object]:
    """Return the keys of a configuration that a reader may read and that are not null."""
    return {key: values[key] for key in sorted(KEYS_BY_READER[reader]) if values.get(key) is not None}
