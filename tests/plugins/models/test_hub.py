"""The client of the hub against a hub on loopback: commits, access, the token, and HF_HUB_OFFLINE."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.secrets import variables_of
from ftrun_plugins.models.hub import check_access, get_token, resolve
from ftrun_plugins.models.hub_download import download_files
from helpers.hub import COMMIT, TOKEN, Hub, log_in, set_endpoint
from helpers.redirects import recorder

CONSTANTS = "huggingface_hub.constants"


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in variables_of("huggingface"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "config.json").write_text("{}")
    with Hub(tmp_path / "files") as server:
        set_endpoint(server.url, monkeypatch)
        yield server


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of the hub, without a network."""
    monkeypatch.setattr(f"{CONSTANTS}.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(f"{CONSTANTS}.HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def refusal(repository: str, revision: str | None = None) -> Problem:
    with pytest.raises(InvalidInput) as refused:
        resolve(repository, revision)
    (problem,) = refused.value.problems
    return problem


@pytest.mark.parametrize("variable", variables_of("huggingface"))
def test_a_variable_comes_before_the_login(variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(tmp_path, "hf_of_the_login\n", monkeypatch)
    assert get_token() == "hf_of_the_login"
    monkeypatch.setenv(variable, f"{TOKEN}\n")
    assert get_token() == TOKEN


def test_a_token_that_no_header_can_hold_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret\nX-Evil: 1")
    with pytest.raises(InvalidInput) as refused:
        get_token()
    assert refused.value.problems[0].code == "invalid-secret"
    assert "hf_secret" not in repr(refused.value.problems)


def test_a_login_that_cannot_be_read_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(tmp_path, "", monkeypatch).unlink()
    (tmp_path / "token").mkdir()
    with pytest.raises(InvalidInput) as refused:
        get_token()
    assert refused.value.problems[0].code == "invalid-secret"
    assert str(tmp_path / "token") in refused.value.problems[0].what


def test_a_gated_model_needs_the_login(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal("gated/b").code == "missing-secret"
    log_in(tmp_path, "hf_wrong", monkeypatch)
    assert refusal("gated/b").code == "no-access"
    log_in(tmp_path, TOKEN, monkeypatch)
    assert resolve("gated/b", None) == COMMIT
    check_access("gated/b", COMMIT)


def test_access_is_checked_by_a_file(hub: Hub) -> None:
    check_access("a/b", COMMIT)
    check_access("a/b", COMMIT, "dataset")  # has no README.md
    assert [request.removesuffix(" ") for request in hub.requests] == [
        f"HEAD /a/b/resolve/{COMMIT}/config.json",
        f"GET /api/datasets/a/b/revision/{COMMIT}",
        f"HEAD /datasets/a/b/resolve/{COMMIT}/README.md",
    ]
    (hub.folder / "config.json").unlink()
    with pytest.raises(InvalidInput) as refused:
        check_access("a/b", COMMIT)
    assert refused.value.problems[0].code == "unknown-name"


@pytest.mark.parametrize("name", ["a/b/c", "/data/my-model", "a b"])
def test_a_name_that_no_repository_has_is_not_asked_for(name: str, hub: Hub) -> None:
    assert refusal(name).code == "unknown-name"
    assert hub.requests == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://no-such-host.invalid"])
def test_a_hub_that_cannot_be_reached_is_one_line(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    set_endpoint(url, monkeypatch)
    problem = refusal("a/b")
    assert problem.code == "download-failed"
    assert problem.what.startswith("the hub cannot be reached to look up a/b: [Errno ")


def test_offline_the_commit_comes_from_the_cache(hub: Hub, cache: Path) -> None:
    problem = refusal("a/b")
    assert (problem.code, "HF_HUB_OFFLINE is set" in problem.what) == ("download-failed", True)
    refs = cache / "models--a--b" / "refs"
    refs.mkdir(parents=True)
    (refs / "main").write_text(COMMIT)
    assert resolve("a/b", None) == COMMIT
    check_access("a/b", COMMIT)
    assert hub.requests == []


def test_the_token_goes_only_to_the_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with recorder() as hub, recorder() as other:
        hub.target = other.url
        set_endpoint(hub.url, monkeypatch)
        for ask in (
            lambda: resolve("a/b", None),
            lambda: check_access("a/b", COMMIT),
            lambda: check_access("a/b", COMMIT, "dataset"),
            lambda: download_files("a/b", COMMIT, "model", tmp_path / "model", ["*"]),
        ):
            with suppress(Exception):  # the answer `{}` is none of a hub
                ask()
        assert {headers.get("authorization") for headers in hub.headers} == {f"Bearer {TOKEN}"}
        assert other.headers
        assert not any(TOKEN in value for headers in other.headers for value in headers.values())
