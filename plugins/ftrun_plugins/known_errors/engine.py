"""Errors of vLLM at its start: memory for weights and cache, and too long prompts."""

from __future__ import annotations

from ftrun.api.known_errors import KnownError
from ftrun_plugins.known_errors.memory_hints import save_server_memory

CODE = "out-of-memory"

ENGINE_ERRORS = (
    KnownError(
        CODE,
        r"To serve at least one request with the model's max seq len \((?P<length>\d+)\), "
        r"\(?(?P<needed>[\d.]+) GiB KV cache is needed, which is larger than the available KV cache memory "
        r"\((?P<free>[\d.]+) GiB\)(?:.*?estimated maximum model length is (?P<most>\d+))",
        "the cache of vLLM needs {needed} GiB for {length} tokens, and {free} GiB are free",
        "set serve.max_model_len={most} for the server; for a stage, shorten the prompts or answers, or use a GPU with "
        "more memory",
        in_logs=True,
    ),
    KnownError(
        CODE,
        r"To serve at least one request with the model's max seq len \((?P<length>\d+)\)",
        "the cache of vLLM has too little memory for {length} tokens",
        save_server_memory,
        in_logs=True,
    ),
    KnownError(
        CODE,
        r"No available memory for the cache blocks",
        "the weights leave vLLM no memory for its cache",
        save_server_memory,
        in_logs=True,
    ),
    KnownError(
        CODE,
        r"Free memory on device \S* ?\(?(?P<free>[\d.]+)/(?P<total>[\d.]+) GiB\) on startup\.? is less than",
        "{free} of {total} GiB of the GPU are free, and vLLM reserves more: other processes use the GPU",
        "end the other processes on the GPU (`nvidia-smi` lists them), then run `ftrun resume last`",
        in_logs=True,
    ),
    KnownError(
        CODE,
        r"(?P<free>[\d.]+)/(?P<total>[\d.]+) GiB\).{0,80}is less than desired CPU memory utilization",
        "{free} of {total} GiB of memory are free, and vLLM reserves more",
        "close other programs, or set generate.engine=transformers",
        in_logs=True,
    ),
    KnownError(
        "rows-too-long",
        r"User-specified max_model_len \((?P<asked>\d+)\) is greater than the derived max_model_len "
        r"\((?:\w+=)?(?P<most>\d+)",
        "{asked} tokens are requested, but the model reads at most {most}",
        "set serve.max_model_len={most}; for a stage, shorten the prompts, or set generate.max_new_tokens",
        in_logs=True,
    ),
    KnownError(
        "rows-too-long",
        r"(?:[Mm]aximum|[Mm]ax) (?:context|model) length (?:is|of) (?P<most>\d+)(?: tokens)?.*?(?P<asked>\d+) "
        r"(?:input )?tokens",
        "a prompt has {asked} tokens, but the engine reads at most {most}",
        "shorten the rows, or set a larger serve.max_model_len if the model allows it",
    ),
)
