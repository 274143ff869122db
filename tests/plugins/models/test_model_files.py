"""Weights that run code when they are loaded are refused, and code of a model is named before it may run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.recipe.load import Loaded
from ftrun_plugins.models.hub_download import download_model
from ftrun_plugins.models.model_code import describe_code, find_items
from ftrun_plugins.models.stage import check_folder
from helpers.hub import COMMIT, Hub, set_endpoint

AUTO_MAP = {"AutoModelForCausalLM": "modeling_net.Net", "AutoTokenizer": ["slow.Tokenizer", None]}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"auto_map": AUTO_MAP}))
    (folder / "modeling_net.py").write_text("x = 1\n")
    return folder


def fetch(model: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Download the model from a hub, and return the notes."""
    notes: list[str] = []
    (folder / "output").mkdir()
    report = SimpleNamespace(progress=lambda *_: None, note=notes.append)
    context: Any = SimpleNamespace(work=folder / "work", output=folder / "output", report=report)
    with Hub(model) as hub:
        set_endpoint(hub.url, monkeypatch)
        download_model("a/b", COMMIT, context)
    return notes


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("pytorch_model.bin", "pickled-weights"),
        ("model.pt", "pickled-weights"),
        ("model.pth", "pickled-weights"),
        ("last.ckpt", "pickled-weights"),
        ("model.gguf", "missing-weights"),
    ],
)
def test_other_weights_than_safetensors_are_refused(
    file: str, code: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (model / file).write_bytes(b"weights")
    for load in (lambda: check_folder(model), lambda: fetch(model, tmp_path, monkeypatch)):
        with pytest.raises(InvalidInput) as caught:
            load()
        (problem,) = caught.value.problems
        assert problem.code == code
        assert code == "missing-weights" or (file in problem.what and "safetensors" in str(problem.hint))
    assert not list((tmp_path / "output").iterdir())


def test_safetensors_come_without_the_pickles_beside_them(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("model.safetensors", "pytorch_model.bin", "training_args.bin"):
        (model / name).write_bytes(b"weights")
    assert check_folder(model) == model
    (note,) = fetch(model, tmp_path, monkeypatch)
    assert "modeling_net.Net, slow.Tokenizer" in note
    assert "model.trust_remote_code=true" in note
    assert not list((tmp_path / "output").glob("*.bin"))


def test_consent_names_the_classes(model: Path, loading: Callable[..., Loaded]) -> None:
    recipe = loading(f"model.weights={{origin: folder, path: {model}}}", "model.trust_remote_code=true").recipe
    (item,) = find_items(recipe)
    assert "modeling_net.Net, slow.Tokenizer" in item.what


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"auto_map": 5}', '{"auto_map": {"a": {"b": 1}}}', "[" * 100_000])
def test_a_config_without_a_map_names_nothing(text: str, model: Path) -> None:
    (model / "config.json").write_text(text)
    assert describe_code(model) == ""
