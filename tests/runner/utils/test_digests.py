from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftrun.utils import digests
from ftrun.utils.digests import FileDigests, digest, sha256_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def _reversed(value: Any) -> Any:
    """The same value with the keys of every mapping the other way round."""
    if isinstance(value, dict):
        return {key: _reversed(inner) for key, inner in reversed(value.items())}
    return [_reversed(inner) for inner in value] if isinstance(value, list) else value


@given(JSON)
def test_the_order_of_keys_does_not_matter(value: Any) -> None:
    assert digest(_reversed(value)) == digest(value)


@given(JSON)
def test_a_value_that_went_through_json_has_the_same_digest(value: Any) -> None:
    assert digest(json.loads(json.dumps(value))) == digest(value)


@given(JSON, JSON)
def test_different_values_have_different_digests(one: Any, other: Any) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (digest(one) == digest(other)) is same


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"x": float("nan")}])
def test_what_json_cannot_say_is_an_error(value: Any) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        digest(value)


@pytest.mark.parametrize("value", [Path("x"), {1, 2}, b"x", object()])
def test_what_is_no_json_value_is_an_error(value: Any) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        digest(value)


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "digests.json"


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were written in this test are as good as old."""
    monkeypatch.setattr(digests, "CLOCK_STEP", -1)


def test_a_files_digest_is_that_of_its_content(tmp_path: Path, memory: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"content" * 100_000)
    assert FileDigests(memory).file(file) == hashlib.sha256(file.read_bytes()).hexdigest() == sha256_of(file)


@pytest.mark.usefixtures("settled")
def test_an_unchanged_file_is_read_once_also_by_the_next_plan(
    tmp_path: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    monkeypatch.setattr(digests, "sha256_of", lambda path: read.append(path) or sha256_of(path))
    file = tmp_path / "x"
    file.write_text("one")
    known = FileDigests(memory)
    first = known.file(file)
    assert known.file(file) == first
    known.save()
    assert FileDigests(memory).file(file) == first
    assert read == [file]


def _rewritten(file: Path) -> None:
    file.write_text("two")


def _same_size_and_time_by_another_file(file: Path) -> None:
    before = file.stat()
    other = file.with_name("other")
    other.write_text("two")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)


def _longer_at_the_same_time(file: Path) -> None:
    before = file.stat()
    file.write_text("three")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def _same_size_and_time_in_place(file: Path) -> None:
    before = file.stat()
    file.write_text("two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    "change",
    [_rewritten, _same_size_and_time_by_another_file, _longer_at_the_same_time, _same_size_and_time_in_place],
)
def test_a_changed_file_is_read_again(change: Callable[[Path], None], tmp_path: Path, memory: Path) -> None:
    file = tmp_path / "x"
    file.write_text("one")
    os.utime(file, ns=(10**18, 10**18))
    known = FileDigests(memory)
    known.file(file)
    known.save()
    change(file)
    assert FileDigests(memory).file(file) == sha256_of(file)


def test_a_file_that_changed_a_moment_ago_is_read_each_time(tmp_path: Path, memory: Path) -> None:
    (tmp_path / "x").write_text("one")
    known = FileDigests(memory)
    known.file(tmp_path / "x")
    known.save()
    assert not memory.exists()


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("content", ["", "{", "[1]", "null"])
def test_a_damaged_memory_is_done_without(content: str, tmp_path: Path, memory: Path) -> None:
    memory.parent.mkdir()
    memory.write_text(content)
    (tmp_path / "x").write_text("one")
    known = FileDigests(memory)
    assert known.file(tmp_path / "x") == sha256_of(tmp_path / "x")
    known.save()
    assert list(json.loads(memory.read_text()).values()) == [sha256_of(tmp_path / "x")]


def test_a_memory_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("one")
    known = FileDigests(tmp_path / "x" / "no folder" / "digests.json")
    assert known.file(tmp_path / "x") == sha256_of(tmp_path / "x")
    known.save()


def test_a_folders_digest_is_of_names_and_contents(tmp_path: Path, memory: Path) -> None:
    def made(name: str, files: dict[str, str]) -> str:
        for file, text in files.items():
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_text(text)
        return FileDigests(memory).folder(tmp_path / name)

    first = made("a", {"x": "1", "in/y": "2"})
    assert made("b", {"in/y": "2", "x": "1"}) == first
    assert made("c", {"x": "1", "in/z": "2"}) != first
    assert made("d", {"x": "1", "in/y": "3"}) != first
    assert made("e", {"x": "1", "y": "2"}) != first
