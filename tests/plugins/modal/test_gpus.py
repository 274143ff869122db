"""Wrong GPUs and timeouts are reported before anything is deployed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.recipe.load import Loaded
from ftrun_plugins.modal.gpus import MAX_GPUS, parse_gpus
from helpers.catalogue.case import is_about

Loading = Callable[..., Loaded]


@pytest.mark.parametrize(
    ("gpu", "found"),
    [
        ("H100", [("H100", 1)]),
        ("H100:2", [("H100", 2)]),
        ("H100!:8", [("H100!", 8)]),
        (["H200:2", "H100:2"], [("H200", 2), ("H100", 2)]),
        (None, []),
        (0, []),
        (2, []),
    ],
)
def test_gpus_are_read_as_modal_writes_them(gpu: str | int | list[str] | None, found: list[tuple[str, int]]) -> None:
    assert parse_gpus(gpu) == found


@pytest.mark.parametrize(
    ("override", "reason", "expected"),
    [
        ("resources.train.gpu=H1000", "unknown-name `H1000`", "H100"),
        ("resources.train.gpu='h100:2'", "unknown-name `h100`", "H100"),
        ("resources.train.gpu='H100:9'", "invalid-value `H100`", "1 to 8"),
        ("resources.train.gpu='A10:5'", "invalid-value `A10`", "1 to 4"),
        ("resources.train.gpu='H100:0'", "invalid-value `resources.train.gpu`", "such as `H100` or `H100:2`"),
        ("resources.train.gpu='H100:x'", "invalid-value `resources.train.gpu`", "such as `H100` or `H100:2`"),
        ("resources.train.gpu=2", "invalid-value", '"H100:2"'),
        ("resources.train.gpu=['H100:2','H200:4']", "invalid-value", "2 of each"),
        ("resources.train.timeout=90000", "invalid-value 90000", "at most 86400"),
    ],
)
def test_what_modal_would_refuse_is_told_at_once(override: str, reason: str, expected: str, loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading("backend=modal", override)
    (problem,) = caught.value.problems
    assert is_about(problem.code, problem.what, reason), problem
    assert expected in (problem.expected or "")
    assert problem.at == f"override {override}"


@pytest.mark.parametrize("name", MAX_GPUS)
def test_every_gpu_is_accepted_up_to_its_most(name: str, loading: Loading) -> None:
    loading("backend=modal", f"resources.train.gpu='{name}:{MAX_GPUS[name]}'")


def test_another_backend_has_its_own_gpus(loading: Loading) -> None:
    loading("resources.train.gpu=anything")
