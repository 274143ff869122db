"""Which LoRA adapters vLLM can hold beside a base model, by their `adapter_config.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ADAPTER_CONFIG = "adapter_config.json"
# Of vLLM 0.32, `--max-lora-rank`; a rank between two of them takes the larger.
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)


def read_adapter(folder: Path) -> dict[str, Any]:
    """The configuration of the adapter in a folder; empty where there is none."""
    path = folder / ADAPTER_CONFIG
    config: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return config


def rank_for(adapter: Mapping[str, Any]) -> int:
    """The rank that the engine has to make room for."""
    return next(rank for rank in RANKS if rank >= int(adapter["r"]))


def unservable(adapter: Mapping[str, Any]) -> Iterator[str]:
    """Why vLLM would refuse an adapter."""
    if not adapter:
        yield "there is no adapter_config.json"
        return
    if int(adapter["r"]) > RANKS[-1]:
        yield f"its rank {adapter['r']} is over {RANKS[-1]}"
    if adapter.get("modules_to_save") or adapter.get("trainable_token_indices"):
        yield "it holds whole modules beside the low-rank ones"
    if adapter.get("use_dora"):
        yield "it is a DoRA adapter"
