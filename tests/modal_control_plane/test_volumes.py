from __future__ import annotations

import io
import uuid
from collections.abc import Iterator
from pathlib import Path

import modal
import pytest

from modal_control_plane import volumes
from modal_control_plane.fixture import ControlPlane

from .conftest import Hand, function


@pytest.fixture(scope="module")
def hands(plane: ControlPlane) -> Iterator[tuple[Hand, Hand]]:
    """Two containers with the same volume."""
    pair = Hand(plane, uuid.uuid4().hex), Hand(plane, uuid.uuid4().hex)
    yield pair
    for hand in pair:
        hand.stop()


def test_what_is_written_is_seen_after_commit_and_reload(hands: tuple[Hand, Hand], name: str) -> None:
    one, two = hands
    one("write", f"{name}/a.txt", "first")
    two("reload")
    assert two("read", f"{name}/a.txt") is None
    one("commit")
    assert two("read", f"{name}/a.txt") is None
    two("reload")
    assert two("read", f"{name}/a.txt") == "first"


def test_writing_in_place_needs_a_commit_too(hands: tuple[Hand, Hand], name: str) -> None:
    one, two = hands
    one("write", name, "a")
    one("commit")
    two("reload")
    two("append", name, "b")
    assert one("read", name) == "a"
    two("commit")
    one("reload")
    assert one("read", name) == "ab"


def test_the_last_writer_wins_and_removals_count(hands: tuple[Hand, Hand], plane: ControlPlane, name: str) -> None:
    one, two = hands
    one("write", f"{name}/same", "one")
    one("write", f"{name}/gone", "soon")
    two("write", f"{name}/same", "two")
    one("commit")
    two("commit")
    assert (plane.volume_folder("sample") / name / "same").read_text() == "two"
    two("remove", f"{name}/gone")
    two("commit")
    one("reload")
    assert one("read", f"{name}/gone") is None
    assert one("read", f"{name}/same") == "two"


def test_reload_is_refused_while_a_file_is_open(hands: tuple[Hand, Hand], name: str) -> None:
    one, two = hands
    one("write", name, "text")
    one("open", name)
    assert "open files" in one("reload")
    assert one("commit") is None
    two("reload")
    assert two("read", name) == "text"
    one("close")
    assert one("reload") is None


def test_a_commit_that_fails_once(hands: tuple[Hand, Hand], plane: ControlPlane, name: str) -> None:
    one, _ = hands
    one("write", name, "kept")
    plane.fail_commit("sample")
    assert one("commit").startswith("RuntimeError")
    assert not (plane.volume_folder("sample") / name).exists()
    assert one("commit") is None
    assert (plane.volume_folder("sample") / name).read_text() == "kept"


def test_clients_upload_list_read_and_remove(plane: ControlPlane, name: str) -> None:
    volume = modal.Volume.from_name(name, create_if_missing=True, version=2)
    large = bytes(range(256)) * (9 << 12) + bytes(3 << 20)  # over a block of 8 MiB, and it ends in zeros
    with volume.batch_upload() as batch:
        batch.put_file(io.BytesIO(large), "/deep/large.bin")
        batch.put_file(io.BytesIO(b"small"), "small.txt")
    assert b"".join(volume.read_file("deep/large.bin")) == large
    assert {entry.path for entry in volume.listdir("/", recursive=True)} == {"deep", "deep/large.bin", "small.txt"}
    assert [entry.path for entry in volume.iterdir("/deep")] == ["deep/large.bin"]
    with pytest.raises(FileExistsError), volume.batch_upload() as batch:
        batch.put_file(io.BytesIO(b"again"), "small.txt")
    volume.remove_file("deep", recursive=True)
    assert [entry.path for entry in volume.listdir("/")] == ["small.txt"]
    assert name in {each.name for each in modal.Volume.objects.list()}


def test_parts_of_a_volume_and_read_only_ones(plane: ControlPlane, name: str) -> None:
    volume = modal.Volume.from_name(name, create_if_missing=True, version=2)
    with volume.batch_upload() as batch:
        batch.put_file(io.BytesIO(b"inside"), "part/file.txt")
    part = volume.with_mount_options(sub_path="part", read_only=True)
    reading = function("hand").with_options(volumes={"/sample-store": part})
    notes = modal.Dict.from_name("sample", create_if_missing=True)
    call = reading.spawn(name)
    notes.put(f"{name}/todo", ["read", "file.txt"])
    assert plane.wait_for(lambda: notes.pop(f"{name}/done", None)) == ["inside"]
    notes.put(f"{name}/todo", ["write", "other.txt", "lost"])
    plane.wait_for(lambda: notes.pop(f"{name}/done", None))
    notes.put(f"{name}/todo", ["stop"])
    call.get(timeout=10)
    assert not (plane.volume_folder(name) / "part" / "other.txt").exists()


def test_what_is_written_while_others_files_are_brought_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "volume").mkdir()
    (tmp_path / "aside").mkdir()
    volume = volumes.Volume("vo-1", "store", "main", tmp_path / "volume", tmp_path / "aside")
    here = volumes.Checkout(volume, tmp_path / "here")
    (volume.folder / "theirs").write_text("new")
    put = volumes._put

    def slowly(source: Path, target: Path, aside: Path) -> None:
        put(source, target, aside)
        (here.folder / "mine").write_text("written meanwhile")

    monkeypatch.setattr(volumes, "_put", slowly)
    here.bring()
    monkeypatch.undo()
    here.bring()
    assert (here.folder / "mine").exists()
    here.commit()
    assert (volume.folder / "mine").read_text() == "written meanwhile"
