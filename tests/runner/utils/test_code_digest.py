from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftrun.utils import code_digest
from ftrun.utils.code_digest import source_digest

FORMATTER = """
from ftrun.api.rows import Options
from {package} import words
from {package}.inner import deep


class Formatter:
    name = "mine"
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with a formatter that imports two modules of it; a third is imported by nobody."""
    root = tmp_path / "formatter_pkg"
    (root / "inner").mkdir(parents=True)
    files = {
        "__init__.py": "",
        "formatter.py": FORMATTER.format(package="formatter_pkg"),
        "words.py": "from . import lists\n",
        "lists.py": "A = 1\n",
        "unused.py": "A = 1\n",
        "inner/__init__.py": "from .deep import x\n",
        "inner/deep.py": "x = 1\n",
    }
    for name, text in files.items():
        (root / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield root
    for name in [name for name in sys.modules if name.partition(".")[0] == "formatter_pkg"]:
        del sys.modules[name]


def _digest_now() -> str:
    for cached in (code_digest._list_imports, code_digest._code_digest, code_digest._is_installed):
        cached.cache_clear()  # each process reads a module once
    importlib.invalidate_caches()
    return source_digest(importlib.import_module("formatter_pkg.formatter").Formatter)


@pytest.mark.parametrize("edited", ["formatter.py", "words.py", "lists.py", "inner/__init__.py", "inner/deep.py"])
def test_an_edit_in_a_formatter_or_in_what_it_imports_changes_its_digest(edited: str, package: Path) -> None:
    before = _digest_now()
    (package / edited).write_text((package / edited).read_text() + "\nmore = 2\n")
    assert _digest_now() != before


def test_an_edit_elsewhere_in_the_package_changes_nothing(package: Path) -> None:
    before = _digest_now()
    (package / "unused.py").write_text("A = 2\n")
    assert _digest_now() == before


def test_a_formatter_installed_elsewhere_has_the_same_digest(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _digest_now()
    for name in [name for name in sys.modules if name.partition(".")[0] == "formatter_pkg"]:
        del sys.modules[name]
    (tmp_path / "elsewhere").mkdir()
    package.rename(tmp_path / "elsewhere" / "formatter_pkg")
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    assert _digest_now() == before


def test_comments_change_nothing(package: Path) -> None:
    (package / "lists.py").write_text('A = 1\n\nB = """\n# text\n"""\n')
    before = _digest_now()
    (package / "lists.py").write_text('# why\nA = 1  # a number\n\nB = """\n# text\n"""\n')
    assert _digest_now() == before
    (package / "lists.py").write_text('A = 1\n\nB = """\n# another text\n"""\n')
    assert _digest_now() != before


def test_data_beside_the_code_changes_the_digest(package: Path) -> None:
    (package / "words.txt").write_text("yes")
    before = _digest_now()
    (package / ".words.txt.swp").write_text("of an editor")
    assert _digest_now() == before
    (package / "words.txt").write_text("no")
    assert _digest_now() != before


@pytest.fixture
def helper(package: Path) -> Iterator[Path]:
    """A module of another package, which the formatter imports."""
    (package / "words.py").write_text("from . import lists\nimport formatter_helper\n")
    yield package.parent / "formatter_helper.py"
    sys.modules.pop("formatter_helper", None)


def test_a_helper_in_another_package_that_nobody_installed_counts_by_its_code(helper: Path) -> None:
    helper.write_text("A = 1\n")
    before = _digest_now()
    helper.write_text("A = 2\n")
    assert _digest_now() != before


def test_a_helper_of_an_installed_distribution_counts_by_its_version(
    helper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper.write_text("A = 1\n")
    monkeypatch.setattr(code_digest, "_is_installed", lambda package: package == "formatter_helper")
    monkeypatch.setattr(code_digest, "_version_of", lambda package: "1.0")
    before = code_digest.source_digest(importlib.import_module("formatter_pkg.formatter").Formatter)
    monkeypatch.setattr(code_digest, "_version_of", lambda package: "1.1")
    assert code_digest.source_digest(importlib.import_module("formatter_pkg.formatter").Formatter) != before


def test_a_distribution_has_its_version() -> None:
    assert code_digest._is_installed("pluggy")
    assert code_digest._version_of("pluggy").startswith("pluggy ")
