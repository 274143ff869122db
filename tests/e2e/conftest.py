from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from helpers.workplace import Ended, Workplace, read_json, tiny_model, tiny_recipe

AFTER_TRAINING = (
    "train", "merge", "generate:tuned", "loss:tuned", "score:sql_execution", "score:held_out_loss", "evaluate",
)  # fmt: skip


@dataclass(frozen=True)
class Finished:
    """A run that ended well and that nothing disturbed. Others may run in its store: so its folder is named."""

    workplace: Workplace
    run: Path
    ended: Ended

    def artifact(self, label: str) -> Path:
        return self.workplace.artifact(label, self.run)

    def evaluation(self) -> dict[str, Any]:
        return self.workplace.evaluation(self.run)

    def losses(self) -> dict[int, set[float]]:
        return self.workplace.losses(self.run)


@pytest.fixture(scope="session")
def tiny() -> Path:
    """A model of 3 million parameters with a real tokenizer."""
    return tiny_model()


@pytest.fixture(scope="session")
def finished(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """The tiny recipe, run to its end."""
    with closing(Workplace(tmp_path_factory.mktemp("undisturbed"))) as workplace:
        tiny_recipe(workplace.folder, tiny)
        ended = workplace.run("recipe=tiny.yaml")
        yield Finished(workplace, workplace.runs()[-1], ended)


@pytest.fixture
def workplace(tmp_path: Path, tiny: Path) -> Iterator[Workplace]:
    """An empty store, with the tiny recipe beside it."""
    with closing(Workplace(tmp_path)) as made:
        tiny_recipe(made.folder, tiny)
        yield made


@pytest.fixture
def ready_to_train(workplace: Workplace, finished: Finished) -> Workplace:
    """A store in which everything is made that the tiny recipe can make before it trains."""
    for label, result in read_json(finished.run / "run.json")["results"].items():
        if label not in AFTER_TRAINING:
            source, target = (
                store / "artifacts" / result["artifact"] for store in (finished.workplace.store, workplace.store)
            )
            shutil.copytree(source, target)
    return workplace
