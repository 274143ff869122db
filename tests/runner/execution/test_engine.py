"""A whole run of tiny stages: its record, its events, its hooks, and how it ends."""

from __future__ import annotations

import errno
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from ftrun import hookimpl
from ftrun.api.cancellation import StopSignal
from ftrun.api.errors import GateNotMet, Interrupted, InvalidInput, StageError, StoreError
from ftrun.api.events import Event, read
from ftrun.api.paths import RunFolder, Store
from ftrun.api.stage_call import Plan, StageCall
from ftrun.execution.engine import execute, prepare
from ftrun.plugins.manager import Plugins
from ftrun.recipe.load import Loaded
from ftrun.store import runs
from ftrun.store.locks import FileLock
from ftrun.store.run_plan import read_plan, read_recipe
from ftrun_plugins.local import plugin as local_plugin
from helpers.catalogue.case import is_about

Calls = Callable[..., StageCall]
Making = Callable[..., RunFolder]


@pytest.fixture
def making(loading: Callable[..., Loaded], store: Store) -> Making:
    """Makes the folder of a run of some calls."""
    recipe = loading().recipe

    def make(*calls: StageCall) -> RunFolder:
        plan = Plan(recipe=recipe.name, calls=calls)
        return prepare(store, recipe, plan, ("recipe=mine.yaml",), {"train.lr": "mine.yaml:1:1"}, {"python": "3"})

    return make


class Told:
    """A plugin that notes every hook, beside the local backend."""

    def __init__(self) -> None:
        self.hooks: list[tuple[Any, ...]] = []
        self.plugins = Plugins()
        self.plugins.load(local_plugin, "local", "ftrun")
        module, hooks = ModuleType("told"), self.hooks

        @hookimpl
        def ftrun_run_started(run_id: str) -> None:
            hooks.append(("run started",))

        @hookimpl
        def ftrun_stage_started(run_id: str, call: str) -> None:
            hooks.append(("started", call))

        @hookimpl
        def ftrun_stage_finished(run_id: str, call: str, cached: bool) -> None:
            hooks.append(("finished", call, cached))

        @hookimpl
        def ftrun_stage_failed(run_id: str, call: str, reason: str) -> None:
            hooks.append(("failed", call, reason))

        @hookimpl
        def ftrun_run_finished(run_id: str, status: str) -> None:
            hooks.append(("run finished", status))

        for hook in (
            ftrun_run_started,
            ftrun_stage_started,
            ftrun_stage_finished,
            ftrun_stage_failed,
            ftrun_run_finished,
        ):
            setattr(module, hook.__name__, hook)
        self.plugins.load(module, "told", "told 1.0")


def test_a_run_ends_with_its_results_and_is_cached_afterwards(making: Making, tiny: Calls, store: Store) -> None:
    first = tiny("publish", "first")
    second = tiny("copy", "second", inputs={"data": first.ref})
    folder, told = making(first, second), Told()
    heard: list[Event] = []
    record = execute(store, folder, told.plugins, StopSignal(), heard.append)
    assert record == runs.load(folder)
    assert (record.status, record.problems, list(record.results)) == ("done", (), ["first", "second"])
    assert record.results["first"]["metrics"] == {"rows": 3}
    assert record.started is not None
    assert record.ended is not None
    assert record.created <= record.started <= record.ended
    assert heard == list(read(folder.events))
    assert folder.id in folder.report.read_text()
    assert told.hooks == [
        ("run started",),
        ("started", "first"),
        ("finished", "first", False),
        ("started", "second"),
        ("finished", "second", False),
        ("run finished", "done"),
    ]
    again = Told()
    execute(store, making(first, second), again.plugins, StopSignal())
    assert again.hooks[1:3] == [("finished", "first", True), ("finished", "second", True)]


def test_a_run_folder_holds_the_recipe_and_the_plan_as_they_were(making: Making, tiny: Calls, loading: Any) -> None:
    call = tiny("publish")
    folder = making(call)
    assert read_recipe(folder) == loading().recipe
    assert read_plan(folder).calls == (call,)
    record = runs.load(folder)
    assert (record.overrides, record.origins) == (("recipe=mine.yaml",), {"train.lr": "mine.yaml:1:1"})


def test_a_failed_stage_fails_the_run_and_keeps_what_was_finished(making: Making, tiny: Calls, store: Store) -> None:
    first = tiny("publish", "first")
    bad = tiny("fail", "bad", inputs={"data": first.ref})
    folder, told = making(first, bad, tiny("copy", "last", inputs={"data": bad.ref})), Told()
    with pytest.raises(StageError, match="boom") as caught:
        execute(store, folder, told.plugins, StopSignal())
    assert (caught.value.call, caught.value.exit_code) == ("bad", 1)
    record = runs.load(folder)
    assert (record.status, list(record.results)) == ("failed", ["first"])
    assert record.problems[0]["what"] == "ValueError: boom\nand more"
    assert "ValueError: boom" in folder.report.read_text()
    assert told.hooks[-2:] == [("failed", "bad", "ValueError: boom\nand more"), ("run finished", "failed")]


def test_bad_data_ends_with_exit_code_2(making: Making, tiny: Calls, store: Store) -> None:
    with pytest.raises(InvalidInput, match="row is bad") as caught:
        execute(store, making(tiny("refuse")), Told().plugins, StopSignal())
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("tries", [1, 2])
def test_a_gate_that_is_not_met_is_an_end_of_its_own_also_when_cached(
    tries: int, making: Making, tiny: Calls, store: Store
) -> None:
    for _ in range(tries):
        folder = making(tiny("publish", met=False))
        with pytest.raises(GateNotMet, match=r"the gate of `good` is not met: 0\.5 of at least 0\.6") as caught:
            execute(store, folder, Told().plugins, StopSignal())
    assert caught.value.exit_code == 3
    record = runs.load(folder)
    assert (record.status, list(record.results)) == ("gate_not_met", ["tiny"])


def test_a_stopped_run_goes_on_when_it_is_executed_again(making: Making, tiny: Calls, store: Store) -> None:
    folder, stop = making(tiny("publish")), StopSignal()
    stop.raise_level()
    with pytest.raises(Interrupted) as caught:
        execute(store, folder, Told().plugins, stop)
    assert (caught.value.exit_code, runs.load(folder).status) == (130, "interrupted")
    told_before = len(list(read(folder.events)))
    heard: list[Event] = []
    assert execute(store, folder, Told().plugins, StopSignal(), heard.append).status == "done"
    assert runs.load(folder).problems == ()
    assert heard == list(read(folder.events))[told_before:]  # what was told already is not told again
    assert told_before > 0


def test_one_run_is_executed_by_one_process_at_a_time(making: Making, tiny: Calls, store: Store) -> None:
    folder = making(tiny("publish"))
    with FileLock(folder.lock) as lock:
        assert lock.try_acquire()
        with pytest.raises(InvalidInput) as caught:
            execute(store, folder, Told().plugins, StopSignal())
    assert is_about(caught.value.problems[0].code, caught.value.problems[0].what, f"run-active `{folder.id}`")
    assert not list(read(folder.events))


def test_a_report_that_cannot_be_made_fails_no_run(making: Making, tiny: Calls, store: Store) -> None:
    folder = making(tiny("publish"))
    folder.report.mkdir()
    assert execute(store, folder, Told().plugins, StopSignal()).status == "done"
    warned, finished = list(read(folder.events))[-2:]
    assert (warned["kind"], finished["kind"]) == ("warning", "run_finished")
    assert "the report could not be written: " in warned["text"]


@pytest.mark.parametrize("module", ["ftrun.store.runs.save", "ftrun.execution.engine.write_text"])
def test_a_run_that_cannot_be_written_whole_leaves_no_folder(
    module: str, making: Making, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, fail)
    with pytest.raises(StoreError):
        making()
    assert runs.run_folders(store) == []
