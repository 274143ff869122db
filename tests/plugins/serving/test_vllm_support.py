"""Where vLLM runs, and what is said where it does not."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from ftrun_plugins.serving import vllm_support
from ftrun_plugins.serving.vllm_support import vllm_obstacle


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Linux on x86_64 with AVX2 and without a GPU, until a test says otherwise."""
    (tmp_path / "cpuinfo").write_text("model name\t: one\nflags\t\t: fpu sse2 avx2 bmi\nflags\t\t: fpu sse2 avx2 bmi\n")
    monkeypatch.setattr(vllm_support, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(vllm_support, "gpus", lambda: ())
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    return monkeypatch


@pytest.mark.usefixtures("machine")
def test_it_fits_where_the_processor_has_avx2() -> None:
    assert vllm_obstacle() is None


@pytest.mark.parametrize("flags", ["flags : fpu avx avx2x", ""])
def test_without_avx2_only_a_gpu_helps(machine: pytest.MonkeyPatch, flags: str) -> None:
    vllm_support.CPUINFO.write_text(flags)
    assert "AVX2" in (vllm_obstacle() or "")
    machine.setattr(vllm_support, "gpus", lambda: ("NVIDIA H100",))
    assert vllm_obstacle() is None


@pytest.mark.parametrize(("system", "kind"), [("Darwin", "arm64"), ("Linux", "aarch64"), ("Darwin", "x86_64")])
def test_there_is_no_build_for_other_systems(machine: pytest.MonkeyPatch, system: str, kind: str) -> None:
    machine.setattr(platform, "system", lambda: system)
    machine.setattr(platform, "machine", lambda: kind)
    assert f"{system} on {kind}" in (vllm_obstacle() or "")
