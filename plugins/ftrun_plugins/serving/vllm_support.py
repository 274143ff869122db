"""Check if vLLM runs on this machine. If it does not, `transformers` replaces it."""

from __future__ import annotations

import platform
from pathlib import Path

from ftrun_plugins.local.hardware import gpus

CPUINFO = Path("/proc/cpuinfo")
BUILT_FOR = ("Linux", "x86_64")  # like the locks `server` and `server_cpu`


def vllm_obstacle() -> str | None:
    """Return the reason why no build of vLLM runs on this machine, or None."""
    machine = (platform.system(), platform.machine())
    if machine != BUILT_FOR:
        return f"vLLM is built for {' on '.join(BUILT_FOR)}, and this machine is {' on '.join(machine)}"
    if not gpus() and "avx2" not in _cpu_flags():
        return "vLLM needs a GPU or a processor with AVX2, and this machine has neither"
    return None


def _cpu_flags() -> list[str]:
    lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), [])
