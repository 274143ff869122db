"""Checks of LoRA adapters that vLLM should hold beside a base model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ADAPTER_CONFIG = "adapter_config.json"
# Values of `--max-lora-rank` in vLLM 0.32. A rank between two of them needs the larger.
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)


def read_adapter(folder: Path) -> dict[str, Any]:
    """Return the configuration of the adapter in a folder; empty if there is no adapter."""
    path = folder / ADAPTER_CONFIG
    config: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return config


def rank_for(adapter: Mapping[str, Any]) -> int:
    """Return the smallest rank of vLLM that holds the adapter."""
    return next(rank for rank in RANKS if rank >= int(adapter["r"]))


def list_obstacles(adapter: Mapping[str, Any]) -> Iterator[str]:
    """Yield the reasons why vLLM cannot serve an adapter."""
    if not adapter:
        yield "there is no adapter_config.json"
        return
    if int(adapter["r"]) > RANKS[-1]:
        yield f"its rank {adapter['r']} is over {RANKS[-1]}"
    if adapter.get("modules_to_save") or adapter.get("trainable_token_indices"):
        yield "it has whole modules besides the low-rank weights"
    if adapter.get("use_dora"):
        yield "it is a DoRA adapter"
