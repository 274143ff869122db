"""Errors of libraries, in the words that these use, get a code and a next step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from ftrun.api.known_errors import FailedCall, recognize, recognize_text
from ftrun_plugins.known_errors import KNOWN_ERRORS

# Messages of torch 2.14, transformers 5.20, PEFT 0.21, DeepSpeed 0.19, safetensors 0.8, huggingface-hub 2.4 and vLLM
# 0.32, shortened. {expected code: messages}
MESSAGES: Mapping[str, tuple[str, ...]] = {
    "out-of-memory": (
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB of which 1.23 GiB is "
        "free. Including non-PyTorch memory, this process has 77.87 GiB memory in use.",
        "CUDA out of memory. Tried to allocate 85.00 MiB (GPU 0; 4.00 GiB total capacity; 3.04 GiB already allocated)",
        "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported at some other API call",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to "
        "allocate 4503599627370496 bytes. Error code 12 (Cannot allocate memory)",
        "std::bad_alloc",
        "To serve at least one request with the model's max seq len (131072), (16.00 GiB KV cache is needed, which is "
        "larger than the available KV cache memory (3.51 GiB). Based on the available memory, the estimated maximum "
        "model length is 28736. Try increasing `gpu_memory_utilization` or decreasing `max_model_len`",
        "To serve at least one request with the model's max seq len (131072), (16.00 GiB KV cache is needed, which is "
        "larger than the available KV cache memory (0.01 GiB). Try increasing `gpu_memory_utilization`",
        "No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing",
        "Free memory on device cuda:0 (10.5/79.11 GiB) on startup is less than desired GPU memory utilization (0.92, "
        "72.8 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.",
        "Available memory on node 0 (3.2/7.7 GiB) on startup is less than desired CPU memory utilization (0.92, 7 GiB)",
    ),
    "unsupported-gpu": (
        "CUDA error: no kernel image is available for execution on the device\nFor debugging consider passing",
        "FlashAttention only supports Ampere GPUs or newer.",
        "FlashAttention3 has been toggled on, but it cannot be used due to the following error: FlashAttention3 "
        "requires compute capability >= 9, but found (8, 0) with compute capability 8.x",
        "FlashAttention2 is not available on CPU. Please make sure you are on any of the supported devices",
        "Your setup doesn't support bf16/gpu. You need to assign use_cpu if you want to train the model on CPU.",
        "bf16 requested, but AMP is not supported on this GPU. Requires Ampere series or above.",
        "Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your Tesla T4 GPU has 7.5.",
        "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed a driver",
    ),
    "missing-package": (
        "FlashAttention2 has been toggled on, but it cannot be used due to the following error: the package for "
        "FlashAttention2 doesn't seem to be installed.",
        "No module named 'flash_attn'",
        "/lib/flash_attn_2_cuda.cpython-312-x86_64-linux-gnu.so: undefined symbol: _ZN3c105ErrorC2E",
    ),
    "gpu-communication": (
        "[Rank 1] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=1580, OpType=ALLREDUCE, NumelIn=1, "
        "NumelOut=1, Timeout(ms)=600000) ran for 600013 milliseconds before timing out.",
        "NCCL error in: ProcessGroupNCCL.cpp:3690, unhandled system error, NCCL version 2.27.5\nncclSystemError:",
        "[../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:41522",
    ),
    "gradient-overflow": (
        "Current loss scale already at minimum - cannot decrease scale anymore. Exiting run.",
        "Attempting to unscale FP16 gradients.",
    ),
    "unknown-module": (
        "Target modules {'q_prj'} not found in the base model. Please check the target modules and try again.",
        "Target module Embedding(32000, 64) is not supported. Currently, only the following modules are supported",
    ),
    "weights-mismatch": (
        "Error(s) in loading state_dict for PeftModel:\n\tsize mismatch for layers.0.q_proj.lora_A.default.weight: "
        "copying a param with shape torch.Size([8, 32]) from checkpoint, the shape in current model is "
        "torch.Size([8, 64]).",
        "You set `ignore_mismatched_sizes` to `False`, thus raising an error. For details look at the above report!",
    ),
    "vocabulary-mismatch": (
        "index out of range in self",
        "CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronously reported",
    ),
    "untrusted-code": (
        "The repository /models/zzz contains custom code which must be executed to correctly load the model.",
        "Loading this model requires you to execute custom code contained in the model repository on your local "
        "machine.",
    ),
    "unsupported-model": (
        "The checkpoint you are trying to load has model type `zzz` but Transformers does not recognize this "
        "architecture.",
        "Model architectures ['ZzzForCausalLM'] are not supported for now. Supported architectures: dict_keys([])",
        "Unrecognized model in /models/x. Should have a `model_type` key in its config.json",
    ),
    "missing-weights": ("Error no file named model.safetensors, or pytorch_model.bin, found in directory /models/x.",),
    "missing-tokenizer": ("Couldn't instantiate the backend tokenizer from one of: \n(1) a `tokenizers` library file",),
    "damaged-file": ("PytorchStreamReader failed reading zip archive: failed finding central directory",),
    "no-access": (
        "You are trying to access a gated repo.\nMake sure to have access to it at https://huggingface.co/org/model.",
    ),
    "unknown-name": (
        "org/nothing is not a local folder and is not a valid model identifier listed on 'https://huggingface.co/models'",
    ),
    "rows-too-long": (
        "User-specified max_model_len (9000) is greater than the derived max_model_len (max_position_embeddings=8192 "
        "or model_max_length=None in model's config.json).",
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
    ),
}
FATAL = {"CUDA out of memory", "No available memory", "Current loss scale", "Watchdog caught", "no kernel image"}
TRAIN = {
    "accelerator": "gpu",
    "processes": 1,
    "trainer": {
        "adapter": "lora",
        "micro_batch_size": 3,
        "gradient_accumulation_steps": 4,
        "sequence_len": 4096,
        "optimizer": "adamw_torch",
    },
}


def explain(message: str, stage: str = "train", params: Mapping[str, Any] = TRAIN) -> Any:
    found = recognize(RuntimeError(message), KNOWN_ERRORS, FailedCall(stage, params))
    return found and found[0]


@pytest.mark.parametrize(("code", "message"), [(code, text) for code, texts in MESSAGES.items() for text in texts])
def test_a_message_gets_its_code_an_explanation_and_a_hint(code: str, message: str) -> None:
    problem = explain(message)
    assert problem is not None
    assert problem.code == code
    assert problem.hint
    first, second, *_ = problem.what.splitlines()
    assert not re.search(r"\{[a-z]+\}", first)
    assert message.splitlines()[0][:100].strip() in second


@pytest.mark.parametrize("message", ["boom", "", "KeyError: 'x'", "the file is out of date", "loss is too high"])
def test_another_message_is_not_recognized(message: str) -> None:
    assert explain(message) is None


@pytest.mark.parametrize("text", sorted(FATAL))
def test_a_process_that_only_left_a_log_is_explained(text: str) -> None:
    message = next(message for texts in MESSAGES.values() for message in texts if text in message)
    log = f"step 1\n[rank1]:[E ProcessGroup.cpp:607] {message}\nend\n"
    problem = recognize_text(log, KNOWN_ERRORS, FailedCall("train", TRAIN))
    assert problem is not None
    assert problem.hint


def keys_in_hint(stage: str, params: Mapping[str, Any]) -> list[str]:
    problem = explain(MESSAGES["out-of-memory"][0], stage, params)
    return [line.partition(":")[0] for line in problem.hint.splitlines()[1:]]


def test_the_numbers_of_the_gpu_are_in_the_explanation() -> None:
    what = explain(MESSAGES["out-of-memory"][0]).what.splitlines()[0]
    assert all(text in what for text in ("2.00 GiB", "1.23 GiB", "79.11 GiB"))


def test_memory_for_training_keeps_the_rows_per_step() -> None:
    assert keys_in_hint("train", TRAIN) == [
        "train.micro_batch_size=1 train.gradient_accumulation_steps=12",
        "train.gradient_checkpointing=true",
        "the optimization qlora in place of lora",
        "train.sequence_len=2048",
        "resources.train.gpu=KIND",
    ]


@pytest.mark.parametrize(
    ("trainer", "more", "present", "absent"),
    [
        ({"micro_batch_size": 1}, {}, "the optimization lora", "train.micro_batch_size"),
        ({"gradient_checkpointing": True}, {}, "the optimization lora", "train.gradient_checkpointing"),
        ({"adapter": "qlora", "load_in_4bit": True}, {}, "resources.train.gpu", "the optimization"),
        ({"optimizer": "adamw_torch_fused"}, {}, "train.optimizer=adamw_bnb_8bit", "qlora"),
        ({}, {"processes": 2}, "the optimization zero3", "qlora"),
        ({"deepspeed": {"zero_optimization": {}}}, {"processes": 2}, "train.gradient_checkpointing", "zero3"),
        ({}, {"accelerator": "cpu"}, "resources.train.memory", "resources.train.gpu"),
        ({"adapter": "lora"}, {"accelerator": "cpu"}, "train.gradient_checkpointing", "qlora"),
        ({"sequence_len": 512}, {}, "resources.train.gpu", "train.sequence_len"),
    ],
)
def test_hints_leave_out_what_is_set_already(
    trainer: Mapping[str, Any], more: Mapping[str, Any], present: str, absent: str
) -> None:
    hint = explain(MESSAGES["out-of-memory"][0], "train", {"trainer": trainer, **more}).hint
    assert present in hint
    assert absent not in hint


def test_memory_for_answers() -> None:
    keys = keys_in_hint("generate", {"batch_size": 8, "max_new_tokens": 64, "accelerator": "gpu"})
    assert keys == ["generate.batch_size=4", "generate.max_new_tokens=32", "resources.generate.gpu=KIND"]


def test_a_server_gets_the_length_that_fits() -> None:
    assert "serve.max_model_len=28736" in explain(MESSAGES["out-of-memory"][6], "serve", {}).hint
    assert "serve.max_model_len=2048" in explain(MESSAGES["out-of-memory"][8], "serve", {"max_model_len": 4096}).hint


def test_only_kernels_that_the_recipe_uses_are_named() -> None:
    message = MESSAGES["unsupported-gpu"][0]
    assert "sdpa" in explain(message, "train", {"trainer": {"attn_implementation": "flash_attention_2"}}).hint
    assert "fused_kernels" in explain(message, "train", {"trainer": {"plugins": ["liger"]}}).hint
    hint = explain(message, "generate", {}).hint
    assert "resources.generate.gpu" in hint
    assert "sdpa" not in hint


def test_added_tokens_are_named() -> None:
    hint = explain("index out of range in self", "train", {"trainer": {"tokens": ["<x>"]}}).hint
    assert "train.tokens" in hint


def test_the_cause_of_an_error_is_found() -> None:
    try:
        try:
            raise RuntimeError(MESSAGES["out-of-memory"][0])
        except RuntimeError as error:
            raise ValueError("the engine failed") from error
    except ValueError as error:
        found = recognize(error, KNOWN_ERRORS, FailedCall())
    assert found is not None
    assert found[0].code == "out-of-memory"
    assert "ValueError: the engine failed" in found[0].what


def test_errors_are_known_by_their_type_alone() -> None:
    found = recognize(MemoryError(), KNOWN_ERRORS, FailedCall("format"))
    assert found is not None
    assert found[0].code == "out-of-memory"


def test_a_wrong_recipe_is_the_users_fault() -> None:
    error = ValueError(MESSAGES["unknown-module"][0])
    found = recognize(error, KNOWN_ERRORS, FailedCall("train", TRAIN))
    assert found is not None
    assert (found[1], found[0].at) == ("user", "train.lora_target_modules")
