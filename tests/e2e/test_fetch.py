"""Fetching over the network, against servers on loopback that break, refuse and are absent."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import snapshot_download
from pyarrow import table
from pyarrow.parquet import write_table

from helpers.hub import COMMIT, TOKEN, Hub, set_endpoint

pytestmark = pytest.mark.e2e
FTRUN = str(Path(sys.executable).with_name("ftrun"))
CUT = 1_000_000  # bytes after which the server hangs up once


def ftrun(store: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    environment = {**kept, "FTRUN_STORE": str(store), "HF_HOME": str(store.parent / "hf_home"), **variables}
    return subprocess.run(
        [FTRUN, *arguments], env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def recipe(folder: Path, base_model: str, extra: str = "") -> str:
    file = folder / "from_hub.yaml"
    file.write_text(
        "# A model of the hub.\n"
        "defaults:\n  - override /dataset: jsonl_chat\n"
        f"model: {{base_model: {base_model}, revision: main}}\n"
        "dataset: {source: {path: rows.jsonl}}\n"
        "train: {learning_rate: 1e-3, sequence_len: 256, micro_batch_size: 1}\n"
        f"stages: [fetch, train]\n{extra}"
    )
    row = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}
    (folder / "rows.jsonl").write_text(json.dumps(row) + "\n")
    return f"recipe={file}"


def test_a_model_comes_from_the_hub_at_its_commit(tiny: Path, tmp_path: Path) -> None:
    with Hub(tiny, fail_after=CUT) as hub:
        result = ftrun(tmp_path / "store", recipe(tmp_path, "gated/tiny"), HF_ENDPOINT=hub.url, HF_TOKEN=TOKEN)
        assert result.returncode == 0, result.stderr
    artifact = next(tmp_path.glob("store/artifacts/fetch/*"))
    assert json.loads((artifact / "manifest.json").read_text())["identity"]["params"]["what"]["commit"] == COMMIT
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        digests = [hashlib.sha256((folder / name).read_bytes()).hexdigest() for folder in (artifact, tiny)]
        assert digests[0] == digests[1], name
    assert hub.fail_after is None, "the server was meant to hang up once"


def test_the_token_of_a_login_is_used_and_nowhere_in_the_store(
    tiny: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("hf_home")
    (home / "token").write_text(TOKEN)
    gated = recipe(tmp_path, "gated/tiny")
    with Hub(tiny) as hub:
        result = ftrun(tmp_path / "store", gated, "stages=[fetch]", HF_ENDPOINT=hub.url, HF_HOME=str(home))
    assert result.returncode == 0, result.stderr
    texts = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert texts
    assert not any(TOKEN.encode() in text for text in texts)
    assert TOKEN not in result.stdout + result.stderr


def test_without_a_network_on_purpose_the_cache_of_the_hub_is_used(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "cache")}
    model = recipe(tmp_path, "some/tiny")
    with Hub(tiny) as hub:
        set_endpoint(hub.url, monkeypatch)
        snapshot_download("some/tiny", cache_dir=tmp_path / "cache" / "hub", ignore_patterns=["*.safetensors"])
        before = len(hub.requests)
        refused = ftrun(tmp_path / "store", model, "stages=[fetch]", **offline, HF_ENDPOINT=hub.url)
        assert len(hub.requests) == before
        snapshot_download("some/tiny", cache_dir=tmp_path / "cache" / "hub")
        before = len(hub.requests)
        result = ftrun(tmp_path / "store", model, "stages=[fetch]", **offline, HF_ENDPOINT=hub.url)
        assert len(hub.requests) == before
    assert refused.returncode == 2
    assert "hf download some/tiny" in " ".join(refused.stderr.split())
    assert result.returncode == 0, result.stderr
    artifact = next(tmp_path.glob("store/artifacts/fetch/*"))
    assert (artifact / "model.safetensors").read_bytes() == (tiny / "model.safetensors").read_bytes()
    assert not (artifact / "model.safetensors").is_symlink()


@pytest.mark.parametrize(
    ("variables", "said"),
    [({}, "no token is set"), ({"HF_TOKEN": "hf_wrong"}, "your token of the hub may not read gated/tiny")],
)
def test_a_gated_model_is_refused_before_anything_runs(
    tiny: Path, tmp_path: Path, variables: dict[str, str], said: str
) -> None:
    with Hub(tiny) as hub:
        result = ftrun(tmp_path / "store", recipe(tmp_path, "gated/tiny"), HF_ENDPOINT=hub.url, **variables)
    assert result.returncode == 2
    assert said in " ".join(result.stderr.split())
    assert not list(tmp_path.glob("store/runs/*"))


def test_without_a_network_the_hub_is_named(tmp_path: Path) -> None:
    result = ftrun(tmp_path / "store", recipe(tmp_path, "some/model"), HF_ENDPOINT="http://127.0.0.1:9")
    assert result.returncode == 2
    assert "the hub cannot be reached to look up some/model" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_url_is_checked_by_its_digest_and_resumed(tmp_path: Path) -> None:
    rows = "".join(json.dumps({"text": f"row {number} " + "x" * 400}) + "\n" for number in range(5000)).encode()
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "rows.jsonl").write_bytes(rows)
    file = tmp_path / "from_url.yaml"
    with Hub(tmp_path / "served", fail_after=CUT) as server:
        file.write_text(
            "# Rows from a URL.\nmodel: {base_model: a/b}\nstages: [fetch, format]\n"
            f"dataset:\n  source: {{name: url, url: '{server.url}/a/b/resolve/x/rows.jsonl', sha256: SHA}}\n"
            "  formatter: {name: completion}\n".replace("SHA", hashlib.sha256(rows).hexdigest())
        )
        result = ftrun(tmp_path / "store", f"recipe={file}")
        assert result.returncode == 0, result.stderr
        assert f"bytes={CUT}-" in server.requests[-1], "the second request was to ask for the rest alone"
        wrong = ftrun(tmp_path / "store", f"recipe={file}", f"dataset.source.sha256={'0' * 64}")
    assert wrong.returncode == 2
    assert "[content-changed]" in " ".join(wrong.stderr.split())


def test_a_dataset_comes_from_the_hub_and_its_parquet_files_are_read(tmp_path: Path) -> None:
    served = tmp_path / "served" / "data"
    served.mkdir(parents=True)
    for number in range(2):
        rows = {"text": [f"row {number} {line} " + "x" * 4000 for line in range(300)]}
        write_table(table(rows), served / f"train-0000{number}.parquet", compression="none")
    (served / "test.jsonl").write_text('{"text": "held out"}\n')
    file = tmp_path / "from_hub.yaml"
    file.write_text(
        "# A dataset of the hub.\nmodel: {base_model: a/b}\nstages: [fetch, format]\n"
        "dataset:\n  source: {name: hub, repo: gated/rows, split: train, gated: true}\n"
        "  held_out: {name: hub, repo: gated/rows, split: test, gated: true}\n  formatter: {name: completion}\n"
    )
    with Hub(tmp_path / "served", fail_after=CUT) as hub:
        refused = ftrun(tmp_path / "store", f"recipe={file}", HF_ENDPOINT=hub.url)
        result = ftrun(tmp_path / "store", f"recipe={file}", HF_ENDPOINT=hub.url, HF_TOKEN=TOKEN)
    assert refused.returncode == 2
    assert "no token is set" in " ".join(refused.stderr.split())
    assert result.returncode == 0, result.stderr
    assert hub.fail_after is None, "the server was meant to hang up once"
    (artifact,) = tmp_path.glob("store/artifacts/format/*")
    places = [json.loads(line)["place"] for line in (artifact / "train.jsonl").read_text().splitlines()]
    assert places == [f"data/train-0000{number}.parquet:{line}" for number in range(2) for line in range(1, 301)]
    assert json.loads((artifact / "held_out.rows.jsonl").read_text()) == {"text": "held out"}
