"""Errors of torch and of the operating system that mean too little memory."""

from __future__ import annotations

from ftrun.api.known_errors import KnownError
from ftrun_plugins.known_errors.memory_hints import save_memory

CODE = "out-of-memory"

MEMORY_ERRORS = (
    KnownError(
        CODE,
        r"(?:CUDA|HIP) out of memory\. Tried to allocate (?P<needed>[\d.]+ \w+)"
        r"(?:.*?total capacity of (?P<total>[\d.]+ \w+) of which (?P<free>[\d.]+ \w+) is free)",
        "the GPU has too little memory: {needed} more are needed, and {free} of {total} are free",
        save_memory,
        in_logs=True,
    ),
    KnownError(
        CODE,
        r"CUDA out of memory|CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED|cudaErrorMemoryAllocation",
        "the GPU has too little memory",
        save_memory,
        in_logs=True,
    ),
    KnownError(CODE, "", "the GPU has too little memory", save_memory, types=("torch.OutOfMemoryError",)),
    KnownError(
        CODE,
        r"DefaultCPUAllocator: (?:can't allocate memory|not enough memory): you tried to allocate (?P<size>\d+) bytes",
        "this machine has too little memory: {size} bytes more are needed",
        save_memory,
        in_logs=True,
    ),
    KnownError(
        CODE,
        r"Cannot allocate memory|std::bad_alloc|cannot allocate memory for thread-local data",
        "this machine has too little memory",
        save_memory,
        in_logs=True,
    ),
    KnownError(CODE, "", "this machine has too little memory", save_memory, types=("builtins.MemoryError",)),
    KnownError(
        CODE,
        r"killed .*SIGKILL, because the memory was full",
        "the operating system ended the process, because this machine or its container has too little memory",
        save_memory,
        in_logs=True,
    ),
)
