from __future__ import annotations

import pytest

from ftrun_plugins.axolotl.check.gpu_capabilities import find_capabilities
from ftrun_plugins.modal.gpus import MAX_GPUS


@pytest.mark.parametrize(
    ("gpu", "version", "fp8"),
    [
        ("H100", "sm_90", True),
        ("H100!:8", "sm_90", True),
        ("B200+:2", "sm_100", True),
        ("A100-80GB:2", "sm_80", False),
        ("RTX-PRO-6000", "sm_120", True),
        ("NVIDIA L40S", "sm_89", False),
        ("NVIDIA H200", "sm_90", True),
        ("NVIDIA GeForce RTX 4090", "sm_89", False),
        ("Tesla T4", "sm_75", False),
    ],
)
def test_a_name_gives_what_the_gpu_can_do(gpu: str, version: str, fp8: bool) -> None:
    found = find_capabilities(gpu, processes=3)
    assert found is not None
    assert (found["compute_capability"], found["fp8"], found["n_gpu"]) == (version, fp8, 3)


def test_old_gpus_have_no_bf16() -> None:
    assert [(find_capabilities(gpu, 1) or {})["bf16"] for gpu in ("T4", "A10")] == [False, True]


@pytest.mark.parametrize("gpu", MAX_GPUS)
def test_every_gpu_of_modal_is_known(gpu: str) -> None:
    assert find_capabilities(gpu, 1)


def test_an_unknown_gpu_is_not_guessed() -> None:
    assert find_capabilities("Radeon 7900", 1) is None
