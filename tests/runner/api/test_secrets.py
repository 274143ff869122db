"""Values of secrets on this machine, and the processes that get them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ftrun.api.process_env import process_env
from ftrun.api.secrets import read_secret, variables_of
from helpers.hub import TOKEN, log_in


@pytest.fixture(autouse=True)
def _login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in variables_of("huggingface"):
        monkeypatch.delenv(name, raising=False)
    log_in(tmp_path, TOKEN, monkeypatch)


def test_a_login_is_a_secret_and_a_variable_replaces_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_secret("huggingface") == {"HF_TOKEN": TOKEN}
    monkeypatch.setenv("HF_TOKEN", "")
    monkeypatch.setenv("HUGGINGFACE_TOKEN", "hf_of_a_variable")
    assert read_secret("huggingface") == {"HUGGINGFACE_TOKEN": "hf_of_a_variable"}


def test_a_user_who_forbids_implicit_use_of_the_login_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
    assert read_secret("huggingface") == {}


def test_a_login_reaches_only_processes_that_request_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", "/somewhere")
    requested, other = process_env({}, ["huggingface"], []), process_env({}, ["wandb"], [])
    assert requested["HF_TOKEN"] == TOKEN
    assert TOKEN not in other.values()
    for environment in (requested, other):
        assert environment["HF_HOME"] == "/somewhere"  # for its cache
        assert environment["HF_TOKEN_PATH"] == os.devnull  # so that the library finds no token there
