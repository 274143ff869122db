"""The whole tiny recipe on a control plane: what comes out is what comes out here, whatever is taken away meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from uv import find_uv_bin

from helpers.hub import COMMIT, TOKEN, Hub, set_endpoint
from helpers.modal_workplace import ModalPlace
from helpers.workplace import PROJECT, Workplace, read_json, tiny_recipe, trainer_python, wait_until
from modal_control_plane.fixture import ControlPlane

if TYPE_CHECKING:
    from conftest import Finished

pytestmark = pytest.mark.e2e

ACME = PROJECT / "examples" / "ftrun-acme"


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[ControlPlane]:
    interpreters = {"client": Path(sys.executable), "trainer": Path(trainer_python())}
    with ControlPlane(tmp_path / "plane", interpreters=interpreters) as plane:
        yield plane


@pytest.fixture
def workplace(tmp_path: Path, plane: ControlPlane, tiny: Path) -> Iterator[Workplace]:
    with closing(ModalPlace(tmp_path / "here", plane)) as made:
        tiny_recipe(made.folder, tiny, backend={"name": "modal"})
        yield made


@pytest.mark.slow
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
    assert not list(workplace.volume.glob("scratch/*/*/**/*"))
    assert not workplace.plane.unknown_rpcs


@pytest.mark.drill
def test_a_third_partys_formatter_and_evaluator_run_there(workplace: ModalPlace, tiny: Path) -> None:
    workplace.plugins = workplace.folder / "plugins"
    install = ("pip", "install", "--quiet", "--no-deps", "--target", str(workplace.plugins), str(ACME))
    subprocess.run([find_uv_bin(), *install], check=True)
    ended = workplace.run(
        "recipe=acme_tickets",
        "backend=modal",
        "evals=[acme_team]",
        "model.weights.origin=folder",
        f"model.weights.path={tiny}",
        "model.base_model=ftrun/tiny",
        "generate.engine=transformers",
        "stages=[fetch,format,tokenize,generate,score,evaluate]",
    )
    record = read_json(workplace.runs()[-1] / "run.json")
    assert record["results"]["evaluate"]["metrics"]["evaluation"]["acme_team"]["base"] == 0.0
    assert "acme_team " in ended.out
    rows = (workplace.volume / "artifacts" / record["results"]["format"]["artifact"] / "train.jsonl").read_text()
    questions = [json.loads(row)["messages"][0]["content"] for row in rows.splitlines()]
    assert questions
    assert all(question.startswith("Which team answers this ticket") for question in questions)


def test_a_secret_is_nowhere_but_in_the_secret(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with Hub(tiny) as hub:
        hub_here = {"HF_ENDPOINT": hub.url}
        set_endpoint(hub.url, monkeypatch)
        interpreters = {"client": Path(sys.executable), "trainer": Path(trainer_python())}
        with ControlPlane(tmp_path / "plane", interpreters=interpreters, environment=hub_here) as plane:
            place = ModalPlace(tmp_path / "here", plane)
            tiny_recipe(
                place.folder,
                tiny,
                backend={"name": "modal"},
                model={"base_model": "gated/tiny", "revision": COMMIT, "gated": True, "weights": {"origin": "hub"}},
                stages=["fetch"],
            )
            refused = place.run("recipe=tiny.yaml", expected=2)
            assert "modal secret create huggingface HF_TOKEN=" in refused.err
            plane.secrets["huggingface"] = {"HF_TOKEN_OF_ANOTHER_NAME": TOKEN}
            assert "modal secret create" in place.run("recipe=tiny.yaml", expected=2).err
            plane.secrets["huggingface"] = {"HUGGINGFACE_TOKEN": TOKEN}
            place.run("recipe=tiny.yaml")
            place.close()
            assert not plane.requests.holding(TOKEN)
    found = [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    assert found == []
    assert list(tmp_path.glob("plane/volumes/**/artifacts/fetch/*/model.safetensors"))
