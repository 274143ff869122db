from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from ftrun.execution.warm_parent import WarmParent
from ftrun.store.locks import FileLock
from helpers.workplace import Ended, Workplace, parent_of, read_json, tiny_model, tiny_recipe

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


def pytest_configure() -> None:
    """Give each worker a core of its own: torch's threads would slow those of the other workers."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})


@pytest.fixture(scope="session", autouse=True)
def trainer() -> WarmParent:
    """What all runs of this process fork stages from: it imports once, beside the first tests."""
    return parent_of("trainer")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this session have."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def tiny(shared: Path) -> Path:
    """A model of 3 million parameters with a real tokenizer."""
    with locked(shared / "tiny.lock"):
        return tiny_model()


@pytest.fixture(scope="session")
def finished(tiny: Path, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """The tiny recipe, run to its end: once a session. Each worker has a copy of its store."""
    made = Workplace(shared / "finished", in_process=True)
    with locked(shared / "finished.lock"):
        ended_file = made.folder / "ended.json"
        if not ended_file.exists():
            tiny_recipe(made.folder, tiny)
            ended_file.write_text(json.dumps(asdict(made.run("recipe=tiny.yaml"))))
    ended = json.loads(ended_file.read_text())
    with closing(Workplace(tmp_path_factory.mktemp("worker") / "finished", in_process=True)) as workplace:
        copy_workplace(made.folder, workplace.folder)
        here = ended["out"].replace(str(made.folder), str(workplace.folder))
        yield Finished(workplace, workplace.runs()[-1], Ended(**{**ended, "out": here}))


def copy_workplace(source: Path, target: Path) -> None:
    """Copy a workplace; files of artifacts, which never change, become links to the same content."""

    def copy(file: str, place: str) -> str:
        if "/artifacts/" in file:
            os.link(file, place)
            return place
        return str(shutil.copy2(file, place))

    shutil.copytree(source, target, copy_function=copy)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for the workers that have the lock."""
    with FileLock(path) as lock:
        while not lock.try_acquire():
            time.sleep(0.1)
        yield


@pytest.fixture
def workplace(tmp_path: Path, tiny: Path) -> Iterator[Workplace]:
    """An empty store, with the tiny recipe beside it."""
    with closing(Workplace(tmp_path, in_process=True)) as made:
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
            shutil.copytree(source, target, copy_function=os.link)
    return workplace
