"""`ftrun verify`, and the check of artifacts before they are read."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from ftrun.api.cancellation import StopSignal
from ftrun.api.errors import StoreError
from ftrun.api.paths import MANIFEST, Store
from ftrun.api.stage_call import Plan, Ref
from ftrun.cli.main import run_command
from ftrun.execution.engine import execute, prepare
from ftrun.plugins.manager import plugins
from ftrun.store.artifacts import read_manifest
from ftrun.store.input_check import check_artifacts, count_changed_bytes
from ftrun.store.run_plan import read_plan, read_recipe
from ftrun.testing.probe_stage import probe_call
from ftrun.utils.atomic_io import write_json

RECIPE = ("recipe=quickstart", "stages=[format]")


@pytest.fixture
def made(store: Store, capsys: pytest.CaptureFixture[str]) -> tuple[str, Ref]:
    """The id and the artifact of a real run."""
    assert run_command([*RECIPE, "--json"]) == 0
    run = json.loads(capsys.readouterr().out)
    return run["id"], Ref.parse(run["results"]["format"]["artifact"])


def edit(path: Path) -> None:
    """Change one byte, but neither the size nor the time."""
    stat, content = path.stat(), path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def verify(capsys: pytest.CaptureFixture[str], *names: str) -> tuple[int, dict[str, list[str]]]:
    code = run_command(["verify", "--json", *names])
    damaged: dict[str, list[str]] = json.loads(capsys.readouterr().out)["damaged"]
    return code, damaged


def test_a_whole_store_a_run_and_an_artifact_are_verified(
    made: tuple[str, Ref], store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    run, ref = made
    for names in ((), (run,), ("last",), (str(ref),), (str(ref)[:12],)):
        assert verify(capsys, *names) == (0, {})
    edit(store.artifact(ref) / "train.jsonl")
    for names in ((), (run,), (str(ref),)):
        assert verify(capsys, *names) == (1, {str(ref): ["train.jsonl has another content"]})
    assert run_command(["verify"]) == 1
    assert f"damaged      {ref}: train.jsonl" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["train.jsonl", MANIFEST])
def test_a_missing_file_is_damage(
    name: str, made: tuple[str, Ref], store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    run, ref = made
    (store.artifact(ref) / name).unlink()
    for names in ((), (run,), (str(ref),)):
        code, damaged = verify(capsys, *names)
        assert (code, list(damaged)) == (1, [str(ref)])


def test_a_removed_artifact_of_a_run_is_damage(
    made: tuple[str, Ref], store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    run, ref = made
    shutil.rmtree(store.artifact(ref))
    assert verify(capsys) == (0, {})
    assert verify(capsys, run)[0] == 1


def test_damaged_records_are_named(made: tuple[str, Ref], store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    run, _ = made
    store.run(run).plan.write_text("{")
    assert [*verify(capsys)[1]] == [run]


def test_an_artifact_without_digests_is_not_recorded(
    made: tuple[str, Ref], store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    _, ref = made
    path = store.artifact(ref) / MANIFEST
    values = json.loads(path.read_text())
    for file in values["files"]:
        del file["sha256"], file["mtime_ns"]
    write_json(path, values)
    assert run_command(["verify"]) == 0
    assert f"not recorded {ref}" in capsys.readouterr().out
    assert check_artifacts(store, [ref]) == []


def test_nothing_is_read_if_no_size_and_no_time_changed(made: tuple[str, Ref], store: Store) -> None:
    _, ref = made
    assert count_changed_bytes(store, [ref]) == 0
    sizes: list[int] = []
    assert check_artifacts(store, [ref], sizes.append) == []
    assert sizes == []


def test_a_file_with_another_time_is_read_once(made: tuple[str, Ref], store: Store) -> None:
    _, ref = made
    path = store.artifact(ref) / "train.jsonl"
    os.utime(path, ns=(1, 1))
    assert count_changed_bytes(store, [ref]) == path.stat().st_size
    assert check_artifacts(store, [ref]) == []
    assert count_changed_bytes(store, [ref]) == 0
    assert {file.mtime_ns for file in read_manifest(store, ref).files if file.path == path.name} == {1}


def test_a_file_with_another_content_is_a_problem(made: tuple[str, Ref], store: Store) -> None:
    _, ref = made
    edit(store.artifact(ref) / "train.jsonl")
    os.utime(store.artifact(ref) / "train.jsonl")
    (problem,) = check_artifacts(store, [ref])
    assert (problem.code, problem.at) == ("damaged-artifact", str(store.artifact(ref)))
    assert f"ftrun rm {ref}" in str(problem.hint)


def test_a_stage_does_not_read_an_edited_artifact(made: tuple[str, Ref], store: Store, tmp_path: Path) -> None:
    run, ref = made
    recipe = read_recipe(store.run(run))
    reading = probe_call("make", str(tmp_path / "tries")).model_copy(update={"inputs": {"data": ref}})
    folder = prepare(
        store, recipe, Plan(recipe="reading", calls=(*read_plan(store.run(run)).calls, reading)), (), {}, {}
    )
    path = store.artifact(ref) / "train.jsonl"
    content = path.read_bytes()
    edit(path)
    os.utime(path)
    with pytest.raises(StoreError) as stopped:
        execute(store, folder, plugins(), StopSignal())
    assert [problem.code for problem in stopped.value.problems] == ["damaged-artifact"]
    assert not (tmp_path / "tries").exists()
    path.write_bytes(content)
    assert execute(store, folder, plugins(), StopSignal()).status == "done"


@pytest.mark.parametrize("command", [("pull", "last", "format", "--to", "copy"), ("preview", *RECIPE)])
def test_an_edited_artifact_is_not_copied_or_shown(
    command: tuple[str, ...],
    made: tuple[str, Ref],
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = store.artifact(made[1]) / "report.json"
    edit(path)
    os.utime(path)
    monkeypatch.chdir(tmp_path)
    assert run_command([*command]) == 2
    assert "[damaged-artifact]" in capsys.readouterr().err
    assert not (tmp_path / "copy").exists()
