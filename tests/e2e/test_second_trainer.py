"""A trainer of another package trains, and its model is evaluated as one of axolotl's is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from helpers.toy_trainer import write_toy_trainer
from helpers.workplace import Workplace, read_json, tiny_recipe

pytestmark = pytest.mark.e2e

STAGES = ["fetch", "format", "toy_tokenize", "toy_train", "generate", "loss", "score", "evaluate"]


class PluginPlace(Workplace):
    """A workplace with further packages."""

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "PYTHONPATH": str(self.folder / "plugins")}


@pytest.fixture
def workplace(tmp_path: Path, tiny: Path) -> Iterator[PluginPlace]:
    with closing(PluginPlace(tmp_path)) as made:
        write_toy_trainer(made.folder / "plugins")
        file = tiny_recipe(made.folder, tiny)
        recipe = yaml.safe_load(file.read_text())
        recipe["defaults"] = [{"override /evals": ["exact_match", "held_out_loss"]}]
        del recipe["optimizations"]
        recipe |= {"trainer": "toy", "train": {"steps": 40, "learning_rate": 0.003}, "stages": STAGES}
        recipe["generate"]["rows"] = 4
        file.write_text(yaml.safe_dump(recipe))
        yield made


def test_a_second_trainer_trains_and_is_evaluated(workplace: PluginPlace) -> None:
    workplace.run("recipe=tiny.yaml")
    results = read_json(workplace.runs()[-1] / "run.json")["results"]
    assert results["train"]["artifact"].startswith("toy_train/")
    losses = workplace.evaluation()["held_out_loss"]
    assert losses["tuned"] < losses["base"] - 0.5
    assert workplace.evaluation()["exact_match"]["rows"] == 4
    assert not workplace.artifact("generate:tuned").joinpath("adapter_config.json").exists()


def test_its_keys_are_checked_by_itself_and_unknown_trainers_are_refused(workplace: PluginPlace) -> None:
    error = workplace.run("validate", "recipe=tiny.yaml", "train.lora_r=8", expected=2).err
    assert "unknown key `lora_r` [unknown-key]" in error
    assert "override train.lora_r=8" in error
    error = workplace.run("validate", "recipe=tiny.yaml", "trainer=toyy", expected=2).err
    assert "`toyy` [unknown-name]" in error
    assert "toy?" in error
