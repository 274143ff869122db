from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ftrun.api.manifest import GateResult
from ftrun.api.paths import Store
from ftrun.api.stage_call import EnvironmentRef, StageCall
from ftrun.store.artifacts import describe, find, publish

CALL = StageCall(
    stage="tiny",
    version=1,
    params={"a": 1},
    environment=EnvironmentRef(name="client"),
    label="tiny",
    implementation="none:None",
)


def written(store: Store, **files: str) -> Path:
    """Output in scratch, as a stage leaves it."""
    output = store.scratch(CALL.ref).output
    for name, text in {"a.txt": "content", "inner/b.txt": "", **files}.items():
        (output / name).parent.mkdir(parents=True, exist_ok=True)
        (output / name).write_text(text)
    return output


def published(store: Store) -> Path:
    manifest = describe(
        store, CALL, "run", 1.23456, {"rows": 3}, (GateResult(name="g", met=False, detail="d"),), {"python": "3"}
    )
    publish(store, CALL.ref, manifest)
    return store.artifact(CALL.ref)


def test_what_is_published_is_found_as_it_was(store: Store) -> None:
    output = written(store)
    (output / "a.txt").chmod(0o600)
    artifact = published(store)
    manifest = find(store, CALL.ref)
    assert manifest is not None
    assert [(file.path, file.size) for file in manifest.files] == [("a.txt", 7), ("inner/b.txt", 0)]
    assert (manifest.seconds, manifest.metrics, manifest.size, manifest.run) == (1.235, {"rows": 3}, 7, "run")
    assert manifest.identity == CALL.identity
    assert not manifest.gates[0].met
    assert (artifact / "a.txt").stat().st_mode & 0o777 == 0o644
    assert not output.exists()


def test_nothing_is_found_where_nothing_was_published(store: Store) -> None:
    written(store)
    assert find(store, CALL.ref) is None


def test_an_empty_output_is_an_artifact(store: Store) -> None:
    publish(store, CALL.ref, describe(store, CALL, "run", 0.0, {}, (), {}))
    manifest = find(store, CALL.ref)
    assert manifest is not None
    assert manifest.files == ()


def test_a_stages_own_file_named_manifest_below_the_top_is_part_of_the_artifact(store: Store) -> None:
    written(store, **{"inner/manifest.json": "{}"})
    published(store)
    manifest = find(store, CALL.ref)
    assert manifest is not None
    assert "inner/manifest.json" in [file.path for file in manifest.files]


def _cut(artifact: Path) -> None:
    (artifact / "a.txt").write_text("cont")


def _longer(artifact: Path) -> None:
    (artifact / "a.txt").write_text("content and more")


def _missing(artifact: Path) -> None:
    (artifact / "inner" / "b.txt").unlink()


def _no_folder(artifact: Path) -> None:
    shutil.rmtree(artifact / "inner")


def _no_manifest(artifact: Path) -> None:
    (artifact / "manifest.json").unlink()


def _half_a_manifest(artifact: Path) -> None:
    text = (artifact / "manifest.json").read_text()
    (artifact / "manifest.json").write_text(text[: len(text) // 2])


def _empty_manifest(artifact: Path) -> None:
    (artifact / "manifest.json").write_text("")


def _foreign_manifest(artifact: Path) -> None:
    (artifact / "manifest.json").write_text('{"version": 1}')


@pytest.mark.parametrize(
    "damage",
    [_cut, _longer, _missing, _no_folder, _no_manifest, _half_a_manifest, _empty_manifest, _foreign_manifest],
)
def test_a_damaged_artifact_is_not_found_and_is_replaced_whole(damage: Callable[[Path], None], store: Store) -> None:
    written(store)
    damage(published(store))
    assert find(store, CALL.ref) is None
    written(store, **{"c.txt": "new"})
    published(store)
    manifest = find(store, CALL.ref)
    assert manifest is not None
    assert [file.path for file in manifest.files] == ["a.txt", "c.txt", "inner/b.txt"]


def test_a_crash_before_the_rename_leaves_no_artifact(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    written(store)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", _crash)
        with pytest.raises(KeyboardInterrupt):
            published(store)
    assert find(store, CALL.ref) is None
    assert not store.artifact(CALL.ref).exists()
    published(store)  # the next try
    assert find(store, CALL.ref) is not None


def _crash(*_: object) -> None:
    raise KeyboardInterrupt
