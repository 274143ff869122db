"""Errors of GPUs, their kernels and the network between them."""

from __future__ import annotations

from ftrun.api.known_errors import FailedCall, KnownError

SDPA = "set train.attn_implementation=sdpa, which needs no further package"


def _use_16_bits(call: FailedCall) -> str:
    if call.stage == "train":
        return "use a GPU of the Ampere generation or later, or set train.bf16=false train.fp16=true"
    return "use a GPU of the Ampere generation or later"


def _use_other_kernels(call: FailedCall) -> str:
    hints = [f"resources.{call.stage or 'STAGE'}.gpu=KIND: another GPU"]
    values = call.trainer
    if "flash" in str(values.get("attn_implementation")):
        hints.append("train.attn_implementation=sdpa: attention without flash-attn")
    if values.get("plugins"):
        hints.append("leave out the optimization fused_kernels")
    return "\n".join([*hints, "environment.NAME.lock=FILE: packages that support this GPU"])


def _check_network(call: FailedCall) -> str:
    hints = [
        "read the log for the process that failed first: the others wait for it and report this error",
        "`ftrun resume last` continues from the last checkpoint",
    ]
    if call.stage == "train":
        minutes = int(call.trainer.get("ddp_timeout") or 1800) // 60
        hints.append(
            f"if one process is only slow, such as at a long evaluation, raise train.ddp_timeout ({minutes} min)"
        )
        hints.append("if the GPUs cannot reach each other, try environment.trainer.variables.NCCL_P2P_DISABLE='1'")
    return "\n".join(hints)


HARDWARE_ERRORS = (
    KnownError(
        "unsupported-gpu",
        r"FlashAttention only supports (?P<what>\w+) GPUs or newer",
        "flash-attn needs a GPU of the {what} generation or later",
        SDPA,
        in_logs=True,
    ),
    KnownError(
        "unsupported-gpu",
        r"FlashAttention(?P<version>\d) requires compute capability >= (?P<need>[\d.]+)",
        "FlashAttention {version} needs a GPU with compute capability {need} or higher",
        SDPA,
    ),
    KnownError(
        "unsupported-gpu",
        r"FlashAttention\d? is not available on CPU",
        "FlashAttention needs a GPU",
        SDPA,
    ),
    KnownError(
        "missing-package",
        r"the package for FlashAttention\d doesn't seem to be installed|FlashAttention\d requires at least",
        "the locked environment has no build of flash-attn that can be used",
        f"{SDPA}, or name a lock with flash-attn: environment.trainer.lock=FILE",
    ),
    KnownError(
        "missing-package",
        r"No module named 'flash_attn|flash_attn_2_cuda.*undefined symbol",
        "the locked environment has no build of flash-attn that fits its torch",
        f"{SDPA}, or name a lock with flash-attn: environment.trainer.lock=FILE",
    ),
    KnownError(
        "unsupported-gpu",
        r"no kernel image is available for execution on the device|cudaErrorNoKernelImageForDevice"
        r"|CUDA capability sm_\d+ is not compatible with the current PyTorch installation",
        "a package of the locked environment has no kernels for this kind of GPU",
        _use_other_kernels,
        in_logs=True,
    ),
    KnownError(
        "unsupported-gpu",
        r"doesn't support bf16|bf16 requested, but AMP is not supported on this GPU"
        r"|Bfloat16 is only supported on GPUs with compute capability",
        "this hardware does not compute in bf16",
        _use_16_bits,
        in_logs=True,
    ),
    KnownError(
        "unsupported-gpu",
        r"Found no NVIDIA driver on your system|CUDA driver version is insufficient|No CUDA GPUs are available",
        "no GPU can be used: its driver is missing or too old",
        "`ftrun doctor` shows the GPUs of this machine; `nvidia-smi` shows the version of their driver",
    ),
    KnownError(
        "gpu-communication",
        r"Watchdog caught collective operation timeout: WorkNCCL\([^)]*OpType=(?P<operation>\w+)",
        "the processes waited for each other until the time-out of NCCL, in the operation {operation}",
        _check_network,
        in_logs=True,
    ),
    KnownError(
        "gpu-communication",
        r"NCCL error|ncclSystemError|ncclInternalError|ncclRemoteError|ncclUnhandledCudaError|DistBackendError"
        r"|Timed out waiting \d+ms for (?:recv|send) operation|Connection closed by peer",
        "the communication between the processes of the training failed",
        _check_network,
        in_logs=True,
    ),
)
