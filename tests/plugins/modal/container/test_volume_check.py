"""Inputs on a Volume are compared with their manifests if their times changed, and only once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ftrun.api.paths import Store
from ftrun.api.stage_call import Ref
from ftrun.store.artifacts import describe, publish
from ftrun.store.input_check import count_changed_bytes
from ftrun_plugins.modal.container.volume_check import SECOND, VolumeTimes, check_inputs
from helpers.ended_runs import call

MADE = 1_700_000_000 * SECOND
ROWS = call("format")


@pytest.fixture
def file(store: Store) -> Path:
    """The only file of an artifact."""
    return publish_rows(store, "run")


def publish_rows(store: Store, run: str) -> Path:
    output = store.scratch(ROWS.ref).output
    output.mkdir(parents=True)
    (output / "rows.jsonl").write_text("{}\n")
    os.utime(output / "rows.jsonl", ns=(MADE, MADE))
    publish(store, ROWS.ref, describe(store, ROWS, run, 1.0, {}, (), {}))
    return store.artifact(ROWS.ref) / "rows.jsonl"


def read_bytes(store: Store) -> int:
    return count_changed_bytes(store, [ROWS.ref], VolumeTimes())


def check(store: Store, ref: Ref = ROWS.ref) -> list[str]:
    found: list[tuple[int, int, str]] = []
    problems = check_inputs(store, [ref], "my-store", lambda *progress: found.append(progress))
    assert all(done <= total and unit == "bytes" for done, total, unit in found)
    return [f"{problem.code} at {problem.at}: {problem.hint}" for problem in problems]


def test_a_volume_that_keeps_whole_seconds_makes_nothing_be_read(file: Path, store: Store) -> None:
    os.utime(file, ns=(MADE + 999, MADE + 999))
    assert (read_bytes(store), check(store)) == (0, [])
    assert not store.check(ROWS.ref).exists()


def test_a_file_with_another_time_is_read_once(file: Path, store: Store) -> None:
    manifest = (file.parent / "manifest.json").read_bytes()
    os.utime(file, ns=(1, 1))
    assert read_bytes(store) == file.stat().st_size
    assert (check(store), read_bytes(store)) == ([], 0)
    assert (file.parent / "manifest.json").read_bytes() == manifest


def test_a_check_counts_only_for_the_artifact_that_it_saw(file: Path, store: Store) -> None:
    os.utime(file, ns=(1, 1))
    assert check(store) == []
    file = publish_rows(store, "another run")
    file.write_text("[]\n")
    os.utime(file, ns=(1, 1))
    assert len(check(store)) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"times": 1}'])
def test_a_damaged_check_is_none(content: str, file: Path, store: Store) -> None:
    store.check(ROWS.ref).parent.mkdir(parents=True)
    store.check(ROWS.ref).write_text(content)
    assert check(store) == []
    os.utime(file, ns=(1, 1))
    assert (check(store), read_bytes(store)) == ([], 0)


@pytest.mark.parametrize("content", ["[]\n", "{}  \n"], ids=["content", "size"])
def test_a_changed_file_is_a_problem_with_its_place_on_the_volume(content: str, file: Path, store: Store) -> None:
    file.write_text(content)
    (problem,) = check(store)
    place = f"artifacts/format/{ROWS.ref.key}"
    assert problem.startswith(
        f"damaged-artifact at the Volume my-store, {place}: `modal volume rm -r my-store {place}`"
    )
