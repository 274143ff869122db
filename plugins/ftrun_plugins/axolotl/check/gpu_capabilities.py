"""Capabilities of GPUs by name, which axolotl would ask a GPU for."""

from __future__ import annotations

import re
from typing import Any

# Compute capability by a word of the GPU's name, as `nvidia-smi` or Modal writes it.
COMPUTE_CAPABILITIES = {
    "P100": 60, "V100": 70, "T4": 75, "A100": 80, "A30": 80, "A10": 86, "A10G": 86, "A40": 86, "A6000": 86, "A5000": 86,
    "A4000": 86, "3060": 86, "3070": 86, "3080": 86, "3090": 86, "L4": 89, "L40": 89, "L40S": 89, "4070": 89,
    "4080": 89, "4090": 89, "H100": 90, "H200": 90, "GH200": 90, "B200": 100, "GB200": 100, "B300": 103, "GB300": 103,
    "5070": 120, "5080": 120, "5090": 120, "PRO": 120,
}  # fmt: skip
AMPERE, HOPPER = 80, 90


def find_capabilities(gpu: str, processes: int) -> dict[str, Any] | None:
    """Return what axolotl would find on a GPU such as `H100`, `A100-80GB:2` or `NVIDIA L40S`; None if unknown."""
    words = re.findall(r"[A-Z0-9]+", gpu.partition(":")[0].upper())
    version = next((COMPUTE_CAPABILITIES[word] for word in words if word in COMPUTE_CAPABILITIES), None)
    if version is None:
        return None
    return {
        "bf16": version >= AMPERE,
        "fp8": version >= HOPPER,
        "tf32": version >= AMPERE,
        "n_gpu": processes,
        "compute_capability": f"sm_{version}",
    }
