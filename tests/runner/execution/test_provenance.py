from __future__ import annotations

from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from ftrun.execution import provenance

HASH = 64  # hexadecimal digits


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a package that stands for those of ftrun."""
    spec = ModuleSpec("ftrun", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(provenance, "find_spec", lambda name: spec)
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "code.py").write_text("A = 1\n")
    return tmp_path


def test_the_digest_of_the_code_is_of_all_modules(package: Path) -> None:
    before = provenance._digest_own_code()
    (package / "inner" / "notes.txt").write_text("no code")
    assert provenance._digest_own_code() == before
    (package / "inner" / "code.py").write_text("A = 2\n")
    assert provenance._digest_own_code() != before


def test_the_code_of_ftrun_has_a_digest() -> None:
    assert len(provenance._digest_own_code()) == HASH
