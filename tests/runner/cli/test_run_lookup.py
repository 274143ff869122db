"""Lookup of runs that only a remote backend knows."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.api.paths import RunFolder, Store
from ftrun.cli import run_lookup
from ftrun.store import runs


@pytest.fixture
def refreshed(monkeypatch: pytest.MonkeyPatch) -> list[RunFolder]:
    """The runs that are copied from two remotes, one of which knows `abc-1` and `abc-2`, the other `xyz-1`."""
    copied: list[RunFolder] = []
    remotes = [
        SimpleNamespace(known=lambda ids=ids: ids, refresh=copied.append) for ids in (["abc-1", "abc-2"], ["xyz-1"])
    ]
    monkeypatch.setattr(run_lookup, "remotes", lambda: iter(remotes))
    return copied


@pytest.mark.parametrize(("name", "found"), [("x", "xyz-1"), ("abc-2", "abc-2")])
def test_a_remote_run_is_copied(name: str, found: str, store: Store, refreshed: list[RunFolder]) -> None:
    assert run_lookup.find_run(store, name) == store.run(found)
    assert refreshed == [store.run(found)]


@pytest.mark.parametrize(("name", "code"), [("abc", "ambiguous-name"), ("abd", "unknown-run")])
def test_a_prefix_of_no_or_several_remote_runs_is_refused(
    name: str, code: str, store: Store, refreshed: list[RunFolder]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        run_lookup.find_run(store, name)
    assert caught.value.problems[0].code == code
    assert (caught.value.problems[0].expected == "abc-1, abc-2") == (code == "ambiguous-name")
    assert refreshed == []


def test_a_prefix_of_several_runs_of_this_machine_is_not_looked_up_elsewhere(
    store: Store, refreshed: list[RunFolder]
) -> None:
    for run_id in ("xyz-1", "xyz-2"):
        store.run(run_id).root.mkdir(parents=True)
        runs.save(store.run(run_id), runs.RunRecord(id=run_id, recipe="mine", overrides=(), created=1.0, status="done"))
    with pytest.raises(InvalidInput) as caught:
        run_lookup.find_run(store, "xyz")
    assert caught.value.problems[0].code == "ambiguous-name"
    assert refreshed == []
