"""The whole tiny recipe on a control plane: what comes out is what comes out here, whatever is taken away meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from driving import Workplace, read_json, tiny_recipe, trainer_python, wait_until
from modal_control_plane.fixture import ControlPlane
from modal_places import ModalPlace

if TYPE_CHECKING:
    from conftest import Finished

pytestmark = pytest.mark.e2e


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[ControlPlane]:
    import sys

    interpreters = {"client": Path(sys.executable), "trainer": Path(trainer_python())}
    with ControlPlane(tmp_path / "plane", interpreters=interpreters) as plane:
        yield plane


@pytest.fixture
def workplace(tmp_path: Path, plane: ControlPlane, tiny: Path) -> Iterator[Workplace]:
    with closing(ModalPlace(tmp_path / "here", plane)) as made:
        tiny_recipe(made.folder, tiny, backend={"name": "modal"})
        yield made


def test_preempted_at_two_moments_the_result_is_that_of_a_calm_run_here(
    workplace: ModalPlace, finished: Finished
) -> None:
    run = str(json.loads(workplace.run("run", "-d", "--json", "recipe=tiny.yaml").out)["run"])
    marks = "scratch/train/*/work/out/checkpoint-3/complete"
    wait_until(lambda: list(workplace.volume.glob(marks)), "the first checkpoint", seconds=300)
    workplace.plane.preempt("launch", grace=0)
    workplace.plane.preempt("train-trainer", grace=0)
    record = workplace.wait_for_end(run)
    calm = read_json(finished.run / "run.json")
    for label, result in calm["results"].items():
        there = record["results"][label]
        assert there["artifact"] == result["artifact"], label
        assert len(record["remote"]["calls"][label]) == 1
        for path in sorted((finished.workplace.store / "artifacts" / result["artifact"]).glob("*.safetensors")):
            assert path.read_bytes() == (workplace.volume / "artifacts" / result["artifact"] / path.name).read_bytes()
    assert record["results"]["evaluate"]["metrics"] == calm["results"]["evaluate"]["metrics"]
    assert not list(workplace.volume.glob("scratch/*/*/"))
    assert not workplace.plane.unknown_rpcs
