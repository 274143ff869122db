"""Packages for the attention of a configuration. axolotl looks for them only on a machine with a GPU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ftrun.api.errors import Problem

# The module that implements each attention, and its repository of kernels, which a user may have downloaded.
MODULES = {
    "flash_attention_2": ("flash_attn", "models--kernels-community--flash-attn2"),
    "flash_attention_3": ("flash_attn_interface", "models--kernels-community--vllm-flash-attn3"),
}


def check_attention(config: Mapping[str, Any], origins: Mapping[str, str]) -> Iterator[Problem]:
    """Yield a problem if the attention needs a package that this environment does not have."""
    key = "attn_implementation"
    name = config.get(key)
    if name not in MODULES:
        return
    module, repository = MODULES[name]
    if find_spec(module) is None and not _is_downloaded(repository):
        yield Problem(
            "missing-package",
            f"`{name}` needs the package that has the module `{module}`, which the environment `trainer` does not have",
            at=origins.get(key),
            hint=f"set train.{key}=sdpa, or use a lock with this package: environment.trainer.lock=FILE",
        )


def _is_downloaded(repository: str) -> bool:
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE, repository).is_dir()
