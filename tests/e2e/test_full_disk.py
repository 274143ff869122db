"""A disk that is full while something is fetched is reported as such, and the fetch continues once there is space."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from helpers.full_disk import filled, small_disk
from helpers.hub import Hub
from helpers.workplace import Workplace

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

ROWS = "".join(json.dumps({"text": f"row {number} " + "x" * 4000}) + "\n" for number in range(500)).encode()
FREE = 1_000_000  # bytes: less than each of the things that are fetched, enough for records and logs
Recipe = Callable[[str, Path], str]


def from_hub(url: str, model: Path) -> str:
    return "model: {base_model: some/tiny, revision: main}\ndataset: {source: {name: jsonl, path: rows.jsonl}}\n"


def from_folder(url: str, model: Path) -> str:
    weights = f"weights: {{origin: folder, path: {model}}}"
    return f"model: {{base_model: some/tiny, {weights}}}\ndataset: {{source: {{name: jsonl, path: rows.jsonl}}}}\n"


def tiny_model_of_package(url: str, model: Path) -> str:
    return "defaults: [{override /model: tiny}]\ndataset: {source: {name: jsonl, path: rows.jsonl}}\n"


def from_package(url: str, model: Path) -> str:
    return "dataset: {source: {name: jsonl, path: rows.jsonl}}\ndefaults: [{override /model: smollm2_135m_instruct}]\n"


def rows_from_url(url: str, model: Path) -> str:
    source = f"{{name: url, url: '{url}/a/b/resolve/x/rows.jsonl', sha256: {hashlib.sha256(ROWS).hexdigest()}}}"
    return f"model: {{base_model: a/b}}\ndataset: {{source: {source}}}\n"


def rows_from_hub(url: str, model: Path) -> str:
    source = "{name: hub, repo: some/rows, revision: main, files: [rows.jsonl]}"
    return f"model: {{base_model: a/b}}\ndataset: {{source: {source}}}\n"


STAGES = {rows_from_url: "[fetch, format]", rows_from_hub: "[fetch, format]"}
RECIPES = (from_hub, from_folder, from_package, tiny_model_of_package, rows_from_url, rows_from_hub)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk") as disk:
        if disk is None:
            pytest.skip("only root may mount a disk")
        yield disk


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.__name__)
def test_a_full_disk_is_no_failed_download(
    recipe: Recipe, tiny: Path, disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    served = tmp_path / "served"
    shutil.copytree(tiny, served, ignore=shutil.ignore_patterns("manifest.json"))
    (served / "rows.jsonl").write_bytes(ROWS)
    with Hub(served) as hub, closing(Workplace(disk)) as workplace:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        (disk / "rows.jsonl").write_text('{"text": "a"}\n')
        (disk / "mine.yaml").write_text(
            f"{recipe(hub.url, tiny)}stages: {STAGES.get(recipe, '[fetch]')}\n"
            "train: {learning_rate: 1e-3, sequence_len: 256, micro_batch_size: 1}\n"
        )
        with filled(disk, FREE):
            full = workplace.run("run", "recipe=mine.yaml", "dataset.formatter={name: completion}", expected=1)
        assert "[disk-full]" in "".join(full.err.split())  # whatever the width of the terminal
        assert "network" not in full.err
        workplace.run("resume", "last")
        assert workplace.half_artifacts() == []
