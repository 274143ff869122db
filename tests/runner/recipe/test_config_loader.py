"""Parsed configs are cached by the state of their files, and the defaults list is computed once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from hydra._internal import config_loader_impl
from omegaconf import OmegaConf

from ftrun.plugins.manager import plugins
from ftrun.recipe import config_loader
from ftrun.recipe.load import Loaded, load


def test_each_file_is_parsed_once_per_process(loading: Callable[..., Loaded], monkeypatch: pytest.MonkeyPatch) -> None:
    loading("model=smollm2_135m_instruct")
    parsed: list[IO[str]] = []
    original = OmegaConf.load
    monkeypatch.setattr(OmegaConf, "load", lambda file: parsed.append(file) or original(file))

    loading("model=qwen3_8b_base")

    assert [Path(file.name).name for file in parsed] in ([], ["qwen3_8b_base.yaml"])  # an earlier test may have read it


def test_a_file_that_was_written_again_is_parsed_again(loading: Callable[..., Loaded]) -> None:
    found = []
    for line in ("  seed: 1\n", "  seed: 2\n", "\n  seed: 2\n"):
        loaded = loading(more=line)
        found.append((loaded.recipe.train["seed"], str(loaded.composed.exact(("train", "seed")))))
    assert found == [(1, "mine.yaml:13:3"), (2, "mine.yaml:13:3"), (2, "mine.yaml:14:3")]


def test_a_composition_does_not_change_what_the_next_one_gets(loading: Callable[..., Loaded]) -> None:
    before = loading().recipe
    loading("model.base_model=other/model", "train.learning_rate=0.3", "evals=[sql_execution]", "backend=modal")
    assert loading().recipe == before


def test_the_defaults_list_is_computed_once(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    calls: list[object] = []
    original = config_loader_impl.create_defaults_list
    monkeypatch.setattr(
        config_loader_impl, "create_defaults_list", lambda **given: calls.append(given) or original(**given)
    )
    load(["recipe=quickstart"], plugins())
    assert len(calls) == 1


def test_the_cache_is_bounded(loading: Callable[..., Loaded], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_loader, "MOST_PARSED", 5)
    monkeypatch.setattr(config_loader, "_parsed", {})
    loading()
    assert 0 < len(config_loader._parsed) <= 5
