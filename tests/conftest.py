from __future__ import annotations

import atexit
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import settings

from ftrun.api.paths import Store
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import Loaded, load

os.environ["HF_TOKEN_PATH"] = os.devnull  # tests do not use the login of who runs them
PLACE = Path(mkdtemp(prefix="ftrun-tests-"))
atexit.register(shutil.rmtree, PLACE, ignore_errors=True)
os.environ["XDG_CONFIG_HOME"] = str(PLACE / "config")  # nor the consents
os.environ["FTRUN_STORE"] = str(PLACE / "store")  # nor the store

# A small valid recipe; the line numbers in tests count from its first line.
RECIPE = """\
defaults:
  - override /model: smollm2_135m_instruct
  - override /dataset: quickstart_sql
  - override /optimizations: [lora]
  - override /evals: [exact_match]
train:
  sequence_len: 512
  micro_batch_size: 2
  gradient_accumulation_steps: 1
  num_epochs: 1
  learning_rate: 1e-3
  optimizer: adamw_torch
"""


# Examples of each property: a few in every run, many with `pytest --hypothesis-profile=all`.
settings.register_profile("check", max_examples=25, deadline=None)
settings.register_profile("all", max_examples=400, deadline=None)
settings.load_profile("check")

pytest_plugins = ["pytester", "ftrun.testing.fixtures"]


@pytest.fixture
def store(ftrun_store: Store) -> Store:
    """An empty store, also for what asks the environment for it."""
    return ftrun_store


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, with a cache of its own."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return here


@pytest.fixture
def loading(folder: Path) -> Callable[..., Loaded]:
    """Loads a recipe file `mine.yaml` of the current folder: the small valid recipe with `more` behind it."""

    def load_it(*overrides: str, more: str = "", text: str | None = None) -> Loaded:
        (folder / "mine.yaml").write_text(RECIPE + more if text is None else text)
        return load(["recipe=mine.yaml", *overrides], plugins())

    return load_it
