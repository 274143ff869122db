"""What names an environment's folder, and what identifies it in keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftrun.api.recipe import Environment
from ftrun_plugins.local.environments import LocalEnvironment


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "lock.txt"
    path.write_text("click==8.5.1\n")
    return path


def environment(lock: Path, python: str = "3.12", **variables: str) -> LocalEnvironment:
    return LocalEnvironment("small", Environment(python=python, lock=lock, variables=variables))


def test_a_variable_makes_another_result_but_no_other_installation(lock: Path) -> None:
    plain, other = environment(lock), environment(lock, OMP_NUM_THREADS="1")
    assert plain.digest != other.digest
    assert plain.folder == other.folder


def test_another_lock_or_another_python_is_installed_elsewhere(lock: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.txt"
    changed.write_text("click==8.5.0\n")
    made = [environment(lock), environment(changed), environment(lock, python="3.13")]
    assert len({one.folder for one in made}) == len({one.digest for one in made}) == 3
