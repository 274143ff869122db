from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def data(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[bytes], Path]:
    """Writes a data file under the name that the tests of a module call `FILE`."""

    def write(content: bytes) -> Path:
        path = tmp_path / str(request.module.FILE)
        path.write_bytes(content)
        return path

    return write
