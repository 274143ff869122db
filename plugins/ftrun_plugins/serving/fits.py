"""Whether a build of vLLM fits this machine."""

from __future__ import annotations

import platform
from pathlib import Path

CPU_FACTS = Path("/proc/cpuinfo")


def why_no_vllm() -> str | None:
    """Why the locked vLLM would not run here; None where it does."""
    system, machine = platform.system(), platform.machine()
    if (system, machine) != ("Linux", "x86_64"):
        return f"vLLM is locked for Linux on x86_64, and this is {system} on {machine}"
    if CPU_FACTS.exists() and " avx2 " not in CPU_FACTS.read_text():
        return "vLLM needs a processor with AVX2"
    return None
