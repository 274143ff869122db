from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from helpers.counting_plugin import RECIPE, TOLD, write_counting_plugin
from helpers.modal_workplace import ModalPlace
from helpers.workplace import QUICKSTART_DATA
from modal_control_plane.fixture import ControlPlane


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[ControlPlane]:
    """A control plane whose functions run in this interpreter."""
    interpreters, told = {"client": Path(sys.executable)}, {TOLD: str(tmp_path / "told")}
    with ControlPlane(tmp_path / "plane", interpreters=interpreters, environment=told) as plane:
        yield plane


@pytest.fixture
def workplace(tmp_path: Path, plane: ControlPlane) -> Iterator[ModalPlace]:
    """A machine with a recipe for a long stage, and the plugin that has it."""
    with closing(ModalPlace(tmp_path / "here", plane)) as made:
        rows = (QUICKSTART_DATA / "train.jsonl").read_text().splitlines(keepends=True)[:20]
        (made.folder / "rows.jsonl").write_text("".join(rows))
        (made.folder / "counting.yaml").write_text(RECIPE)
        made.plugins = write_counting_plugin(made.folder / "plugins")
        yield made
