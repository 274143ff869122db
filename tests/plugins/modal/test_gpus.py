"""Wrong GPUs and time-outs are told before anything is deployed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.recipe.load import Loaded
from ftrun_plugins.modal.gpus import MOST, choices

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
    assert choices(gpu) == found


@pytest.mark.parametrize(
    ("override", "what", "expected"),
    [
        ("resources.train.gpu=H1000", "Modal has no GPU named `H1000`", "H100"),
        ("resources.train.gpu='h100:2'", "Modal has no GPU named `h100`", "H100"),
        ("resources.train.gpu='H100:9'", "a container cannot have 9 H100", "1 to 8"),
        ("resources.train.gpu='A10:5'", "a container cannot have 5 A10", "1 to 4"),
        ("resources.train.gpu='H100:0'", "`resources.train.gpu` is 'H100:0'", "such as `H100` or `H100:2`"),
        ("resources.train.gpu='H100:x'", "`resources.train.gpu` is 'H100:x'", "such as `H100` or `H100:2`"),
        ("resources.train.gpu=2", "Modal has to know which GPU", '"H100:2"'),
        ("resources.train.gpu=['H100:2','H200:4']", "differ in number", "2 of each"),
        ("resources.train.timeout=90000", "over Modal's 24 hours", "at most 86400"),
    ],
)
def test_what_modal_would_refuse_is_told_at_once(override: str, what: str, expected: str, loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading("backend=modal", override)
    (problem,) = caught.value.problems
    assert what in problem.what
    assert expected in (problem.expected or "")
    assert problem.at == f"override {override}"


@pytest.mark.parametrize("name", MOST)
def test_every_gpu_is_accepted_up_to_its_most(name: str, loading: Loading) -> None:
    loading("backend=modal", f"resources.train.gpu='{name}:{MOST[name]}'")


def test_another_backend_has_its_own_gpus(loading: Loading) -> None:
    loading("resources.train.gpu=anything")
