from __future__ import annotations

from pathlib import Path

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.api.paths import RunFolder, Store
from ftrun.store import runs
from ftrun.store.locks import FileLock
from helpers.catalogue.case import is_about


def made(store: Store, run_id: str, created: float, status: runs.Status = "done") -> RunFolder:
    """A run with a chosen id."""
    folder = store.run(run_id)
    folder.root.mkdir(parents=True)
    runs.save(folder, runs.RunRecord(id=run_id, recipe="mine", overrides=(), created=created, status=status))
    return folder


def test_a_new_run_is_found_by_its_id(store: Store) -> None:
    folder = runs.create(store, "team/mine", ("recipe=team/mine",), {"a": "b"}, {"python": "3"}, "local")
    assert folder.id.endswith("-team-mine")
    assert folder.log("fetch:model").parent.is_dir()
    assert runs.find_run(store, folder.id) == folder
    assert runs.load(folder).overrides == ("recipe=team/mine",)


def test_ids_differ(store: Store) -> None:
    assert len({runs.create(store, "mine", (), {}, {}, "local").id for _ in range(50)}) == 50


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("abc", "abc"),  # the whole of one id, although it begins another
        ("abcd", "abcd-mine"),
        ("b", "bcd-mine"),
        ("last", "bcd-mine"),
    ],
)
def test_a_run_is_found_by_id_by_prefix_and_as_the_last(name: str, found: str, store: Store) -> None:
    for created, run_id in enumerate(["abc", "abcd-mine", "bcd-mine"]):
        made(store, run_id, float(created))
    assert runs.find_run(store, name).id == found


def test_the_last_run_is_the_last_made_whatever_its_id(store: Store) -> None:
    made(store, "a-new", 2.0)
    made(store, "z-old", 1.0)
    assert runs.find_run(store, "last").id == "a-new"
    assert [record.id for record in runs.all_runs(store)] == ["z-old", "a-new"]


def test_a_prefix_of_several_is_refused_with_them(store: Store) -> None:
    for created, run_id in enumerate(["abc-1", "abc-2"]):
        made(store, run_id, float(created))
    with pytest.raises(InvalidInput) as caught:
        runs.find_run(store, "abc")
    assert is_about(caught.value.problems[0].code, caught.value.problems[0].what, "ambiguous-name `abc`")
    assert caught.value.problems[0].expected == "abc-1, abc-2"


def test_an_unknown_run_is_refused_with_the_nearest(store: Store) -> None:
    made(store, "k7m2pq-quickstart", 1.0)
    with pytest.raises(InvalidInput, match="there is no run `k7m2qp-quickstart`") as caught:
        runs.find_run(store, "k7m2qp-quickstart")
    assert caught.value.problems[0].did_you_mean == ("k7m2pq-quickstart",)


@pytest.mark.parametrize("name", ["last", "x"])
def test_a_store_without_runs_has_none(name: str, store: Store) -> None:
    assert runs.all_runs(store) == []
    with pytest.raises(InvalidInput, match=f"there is no run `{name}`"):
        runs.find_run(store, name)


@pytest.mark.parametrize("status", ["waiting", "running"])
def test_a_run_whose_scheduler_is_gone_reads_as_interrupted(status: runs.Status, store: Store) -> None:
    folder = made(store, "a", 1.0, status)
    assert runs.load(folder).status == "interrupted"
    with FileLock(folder.lock) as lock:
        assert lock.try_acquire()
        assert runs.load(folder).status == status


def test_a_folder_without_a_record_is_no_run(store: Store) -> None:
    (store.runs / "half").mkdir(parents=True)
    made(store, "whole", 1.0)
    assert [record.id for record in runs.all_runs(store)] == ["whole"]


def test_a_record_is_replaced_whole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made(store, "a", 1.0)
    before = folder.record.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", _crash)
        with pytest.raises(KeyboardInterrupt):
            runs.save(folder, runs.load(folder))
    assert folder.record.read_bytes() == before
    assert [path.name for path in folder.root.iterdir()] == ["run.json"]


def _crash(*_: object) -> None:
    raise KeyboardInterrupt
