from __future__ import annotations

from pathlib import Path

import pytest
from driving import Workplace, tiny_model, tiny_recipe


@pytest.fixture(scope="session")
def tiny() -> Path:
    """A model of 3 million parameters with a real tokenizer."""
    return tiny_model()


@pytest.fixture(scope="session")
def prepared(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A store in which the tiny recipe has run to its end, undisturbed. Tests must not train in it again."""
    workplace = Workplace(tmp_path_factory.mktemp("undisturbed"))
    tiny_recipe(workplace.folder, tiny)
    workplace.run("recipe=tiny.yaml")
    return workplace


@pytest.fixture
def workplace(tmp_path: Path, tiny: Path) -> Workplace:
    """An empty store, with the tiny recipe beside it."""
    made = Workplace(tmp_path)
    tiny_recipe(made.folder, tiny)
    return made
