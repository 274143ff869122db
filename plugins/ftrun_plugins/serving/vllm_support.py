"""Whether vLLM runs on this machine; `transformers` stands in for it where it does not."""

from __future__ import annotations

import platform
from pathlib import Path

from ftrun_plugins.local.hardware import gpus

CPUINFO = Path("/proc/cpuinfo")
BUILT_FOR = ("Linux", "x86_64")  # as the locks `server` and `server_cpu` are


def vllm_obstacle() -> str | None:
    """Why none of its builds fits here; None where one does."""
    here = (platform.system(), platform.machine())
    if here != BUILT_FOR:
        return f"vLLM is built for {' on '.join(BUILT_FOR)}, and this is {' on '.join(here)}"
    if not gpus() and "avx2" not in _flags():
        return "vLLM needs a GPU or a processor with AVX2, and this machine has neither"
    return None


def _flags() -> list[str]:
    lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), [])
