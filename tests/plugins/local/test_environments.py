"""What names an environment's folder, and what identifies it in keys."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from ftrun.api.errors import InvalidInput, StageError
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


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages for uv, with a source distribution whose `setup.py` leaves a file if it runs."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    folder = tmp_path / "evil-1.0"
    folder.mkdir()
    (folder / "setup.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    (folder / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    with tarfile.open(tmp_path / "evil-1.0.tar.gz", "w:gz") as archive:
        archive.add(folder, "evil-1.0")
    return tmp_path


def test_no_package_is_built(sources: Path, lock: Path) -> None:
    lock.write_text("evil==1.0\n")
    with pytest.raises(StageError) as caught:
        environment(lock).make(lambda line: None)
    assert [problem.code for problem in caught.value.problems] == ["install-failed"]
    assert not (sources / "ran").exists()


def make_wheel(folder: Path, name: str) -> str:
    """A wheel without modules, and its digest."""
    info, file = f"{name}-1.0.dist-info", folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_only_files_with_a_hash_of_the_lock_are_installed(sources: Path, lock: Path) -> None:
    one, two = (f"{name}==1.0 \\\n    --hash=sha256:{make_wheel(sources, name)}\n" for name in ("one", "two"))
    for text in (one + two[:-5] + "0000\n", one + "two==1.0\n"):  # another file, and one that has none
        lock.write_text(text)
        with pytest.raises(StageError) as caught:
            environment(lock).make(lambda line: None)
        assert [problem.code for problem in caught.value.problems] == ["install-failed"]
        assert not environment(lock).ready
    for text in (one + two, "one==1.0\ntwo==1.0\n"):  # a lock of the user may have no hashes
        lock.write_text(text)
        environment(lock).make(lambda line: None)
        assert environment(lock).ready


@pytest.mark.parametrize("content", [None, "text", "#!/bin/sh\nexit 1\n", "#!/bin/sh\necho no JSON\n"])
def test_what_is_no_interpreter_is_one_problem(content: str | None, lock: Path, tmp_path: Path) -> None:
    file = tmp_path / "python"
    if content is not None:
        file.write_text(content)
        file.chmod(0o755 if content.startswith("#!") else 0o644)
    with pytest.raises(InvalidInput) as caught:
        _ = environment(lock, python=str(file)).digest
    (problem,) = caught.value.problems
    assert (problem.code, problem.at) == ("unusable-path", "environment.small.python")


def test_a_package_without_metadata_is_no_package(lock: Path, tmp_path: Path) -> None:
    python = tmp_path / "made" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "made")], check=True)
    before = environment(lock, python=str(python)).digest
    next((tmp_path / "made" / "lib").glob("python*/site-packages")).joinpath("broken-1.0.dist-info").mkdir()
    assert environment(lock, python=str(python)).digest == before
