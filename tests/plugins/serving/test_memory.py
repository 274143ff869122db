"""A model that does not fit is told before an engine starts, or from what the engine said last."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.api.paths import MANIFEST, Store
from ftrun.api.serving_spec import Serving
from ftrun.api.stage_call import Ref
from ftrun_plugins.serving import memory

MODEL, ADAPTER = Ref(stage="fetch", key="m"), Ref(stage="train", key="a")


def artifact(store: Store, ref: Ref, **sizes: int) -> None:
    folder = store.artifact(ref)
    folder.mkdir(parents=True)
    files = []
    for name, size in sizes.items():
        path = folder / f"{name}.safetensors"
        path.write_bytes(b"0" * size)
        files.append({"path": path.name, "size": size, "sha256": ""})
    known = {"stage": ref.stage, "key": ref.key, "identity": {}, "created": 0, "seconds": 0, "run": "r"}
    (folder / MANIFEST).write_text(json.dumps({**known, "files": files}))


@pytest.fixture
def machine(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Has 100 kB free; its model has 40 kB of 16-bit weights, and its adapter 10 kB."""
    artifact(store, MODEL, one=30_000, two=10_000)
    artifact(store, ADAPTER, adapter=10_000)
    (store.artifact(MODEL) / "config.json").write_text(json.dumps({"dtype": "bfloat16"}))
    file = tmp_path / "meminfo"
    file.write_text("MemTotal:  9000 kB\nMemAvailable:  100 kB\n")
    monkeypatch.setattr(memory, "MEMINFO", file)
    monkeypatch.setattr(memory, "CONTAINER", tmp_path / "container")
    return file


def test_weights_that_fit_as_32_bit_pass(machine: Path, store: Store) -> None:
    serving = Serving(run="r", model=MODEL, name="base", adapter=ADAPTER)
    memory.check(serving, store, 0)
    machine.write_text("MemAvailable:  80 kB\n")  # 82 kB with the adapter's, as 32-bit weights are twice as large
    with pytest.raises(InvalidInput, match=r"the weights take 0.0 GB, .* 0.0 GB of memory free"):
        memory.check(serving, store, 0)
    memory.check(serving.model_copy(update={"adapter": None}), store, 0)
    machine.unlink()  # of another system
    memory.check(serving, store, 0)


def test_a_container_has_less_than_its_machine(machine: Path, store: Store, tmp_path: Path) -> None:
    serving = Serving(run="r", model=MODEL, name="base", adapter=ADAPTER)
    container = tmp_path / "container"
    container.mkdir()
    (container / "memory.current").write_text("70000\n")
    (container / "memory.max").write_text("max\n")
    memory.check(serving, store, 0)
    (container / "memory.max").write_text("150000\n")
    with pytest.raises(InvalidInput, match="memory free"):
        memory.check(serving, store, 0)
    (container / "memory.stat").write_text("active_file 9\ninactive_file 50000\n")  # the system gives these back
    memory.check(serving, store, 0)


def test_on_gpus_weights_are_as_large_as_they_are_stored(
    machine: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\nprintf '1\\n0\\n1\\n'\n")  # MiB
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    artifact(store, Ref(stage="fetch", key="large"), one=1_500_000)
    serving = Serving(run="r", model=Ref(stage="fetch", key="large"), name="base")
    memory.check(serving, store, 3)
    with pytest.raises(InvalidInput, match="these GPUs have"):
        memory.check(serving, store, 2)
    tool.write_text("#!/bin/sh\nexit 1\n")  # no driver
    memory.check(serving, store, 1)


@pytest.mark.parametrize(
    ("code", "log", "expected"),
    [
        (-9, "", True),
        (1, "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate", True),
        (1, "ValueError: No available memory for the cache blocks.", True),
        (1, "ValueError: To serve at least one request … larger than the available KV cache memory (1 GiB)", True),
        (1, "RuntimeError: [enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory", True),
        (1, "INFO Available KV cache memory: 1.0 GiB\nValueError: no such model", False),
        (0, "", False),
    ],
)
def test_an_engine_without_memory_is_told_from_others(code: int, log: str, expected: bool) -> None:
    assert memory.is_out_of_memory(code, log) is expected
