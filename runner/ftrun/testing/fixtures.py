"""Fixtures for a plugin's tests; `pytest_plugins = ["ftrun.testing.fixtures"]` in their `conftest.py` asks for them.

They are no pytest plugin of the installed package: pytest would then load ftrun in every project beside it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ftrun.api.paths import Store


@pytest.fixture
def ftrun_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store that goes away after the test, also for `ftrun` started by it."""
    root = tmp_path / "store"
    monkeypatch.setenv("FTRUN_STORE", str(root))
    return Store(root)
