"""Fixtures for tests of plugins. To use them, set `pytest_plugins = ["ftrun.testing.fixtures"]` in `conftest.py`.

The package does not register them as a pytest plugin, because pytest would then load ftrun in every project.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ftrun.api.paths import Store


@pytest.fixture
def ftrun_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Return an empty store for one test, and make it the store of each `ftrun` process that the test starts."""
    root = tmp_path / "store"
    monkeypatch.setenv("FTRUN_STORE", str(root))
    return Store(root)
