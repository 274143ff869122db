"""Memory checks: size of the weights before an engine starts, and its log after it ended."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import Store
from ftrun.api.serving_spec import Serving
from ftrun.api.stage_call import Ref
from ftrun.store.artifacts import find

MEMINFO = Path("/proc/meminfo")
CONTAINER = Path("/sys/fs/cgroup")  # memory limit of a container (control groups, version 2)
WEIGHTS = (".safetensors", ".bin")
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}  # per number; without a GPU, engines load weights as 32-bit
OUT_OF_MEMORY = re.compile(
    r"out.?of.?memory|allocate memory|No available memory|than the available KV cache|than desired \w+ memory",
    re.IGNORECASE,
)
KILLED = -9


def check(serving: Serving, store: Store, gpus: int) -> None:
    """Check that the weights fit into the free memory.

    Raises:
        InvalidInput: If the weights are larger than the free memory.
    """
    needed = sum(_weight_bytes(store, ref, gpus) for ref in (serving.model, serving.adapter, serving.merged) if ref)
    free = _free_on_gpus(gpus) if gpus else _free_memory()
    if free is not None and needed > free:
        owner = "the GPU has" if gpus == 1 else "these GPUs have" if gpus else "this machine has"
        what = f"the weights take {needed / 1e9:,.1f} GB, and {owner} {free / 1e9:,.1f} GB of memory free"
        raise InvalidInput(
            Problem("out-of-memory", what, at=str(serving.model), hint="free memory, or serve a smaller model")
        )


def is_out_of_memory(code: int | None, log: str) -> bool:
    """Return whether an engine ended because it had too little memory."""
    return code == KILLED or OUT_OF_MEMORY.search(log) is not None


def _weight_bytes(store: Store, ref: Ref, gpus: int) -> float:
    manifest = find(store, ref)
    stored = sum(file.size for file in manifest.files if file.path.endswith(WEIGHTS)) if manifest else 0
    return stored if gpus else stored * BYTES["float32"] / _bytes_per_number(store.artifact(ref))


def _bytes_per_number(folder: Path) -> int:
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except OSError:  # an adapter has no config.json, and is small
        return BYTES["float32"]
    return BYTES.get(str(config.get("dtype") or config.get("torch_dtype")), BYTES["float32"])


def _free_memory() -> float | None:
    """Return the free bytes of the machine or of its container, the smaller one; None if they are unknown."""
    available = re.search(r"^MemAvailable:\s+(\d+) kB", _read_text(MEMINFO), re.MULTILINE)
    known = [int(available[1]) * 1024] if available else []
    limit, used = _read_text(CONTAINER / "memory.max").strip(), _read_text(CONTAINER / "memory.current").strip()
    if limit.isdigit() and used.isdigit():
        cached = re.search(r"^inactive_file (\d+)", _read_text(CONTAINER / "memory.stat"), re.MULTILINE)
        known.append(int(limit) - int(used) + (int(cached[1]) if cached else 0))
    return min(known, default=None)


def _read_text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _free_on_gpus(count: int) -> float | None:
    command = ["nvidia-smi", "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return sum(int(line) * 1024**2 for line in result.stdout.split()[:count] if line.isdigit())
