"""`ftrun doctor`: what it looks at, what it says to do, and that nothing keeps it long."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ftrun.api.doctor import CheckResult, DoctorCheck
from ftrun.api.paths import Store
from ftrun.cli.doctor import _check_disk, _run_checks
from ftrun.cli.main import run_command
from helpers.another_plugin import another_plugin
from helpers.hub import log_in, set_endpoint

Told = Callable[..., dict[str, Any]]
SECRET = "hf_abcdefghijklmnopqrstuvwxyz"


class Hub(BaseHTTPRequestHandler):
    """Knows one token."""

    def do_GET(self) -> None:
        allowed = self.headers.get("Authorization") == f"Bearer {SECRET}"
        self.send_response(200 if allowed else 401)
        self.end_headers()
        self.wfile.write(b'{"name": "ada"}' if allowed else b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    set_endpoint(address, monkeypatch)
    yield address
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _nobody(folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """No account, no token, no GPU, no environment."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_TOKEN", "MODAL_TOKEN_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MODAL_CONFIG_PATH", str(folder / "modal.toml"))
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    set_endpoint("http://127.0.0.1:9", monkeypatch)


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    def tell(*arguments: str, expected: int = 0) -> dict[str, Any]:
        assert run_command(["doctor", "--json", *arguments]) == expected
        return {one["what"]: one for one in json.loads(capsys.readouterr().out)}

    return tell


def test_what_is_missing_and_not_needed_is_told_with_what_to_do(told: Told) -> None:
    found = told()
    assert {name: one["well"] for name, one in found.items()} == {
        "ftrun": True,
        "plugins": True,
        "store": True,
        "cache": True,
        "Modal": False,
        "GPU": False,
        "environment trainer": False,
        "environment server_cpu": False,
        "hub": False,
        "hub's token": False,
    }
    assert found["environment trainer"]["hint"] == "ftrun envs make trainer"
    assert found["Modal"]["hint"] == "modal token new"
    assert "cannot be reached" in found["hub"]["detail"]
    assert "HF_TOKEN" in found["hub's token"]["hint"]


def test_what_a_recipe_needs_is_needed(told: Told) -> None:
    found = told("recipe=codellama_sql", expected=2)
    assert {name for name, one in found.items() if one["needed"] and not one["well"]} == {"GPU", "hub"}


def test_the_hub_answers_and_takes_the_token(hub: str, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    assert told()["hub"]["well"]
    monkeypatch.setenv("HF_TOKEN", SECRET)
    assert told()["hub's token"]["well"]
    monkeypatch.setenv("HF_TOKEN", f"{SECRET}-wrong")
    found = told()
    assert not found["hub's token"]["well"]
    assert SECRET not in json.dumps(found)


def test_the_token_of_hf_auth_login_is_used(
    hub: str, folder: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(folder, SECRET, monkeypatch)
    found = told()["hub's token"]
    assert (found["well"], found["detail"]) == (True, "accepted, account ada")
    assert SECRET not in json.dumps(found)


def test_without_a_network_on_purpose_the_hub_is_not_asked(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert told()["hub"]["detail"] == "not asked, because HF_HUB_OFFLINE is set"


def test_people_read_a_line_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "ok       store " in out
    assert re.search(r"^absent   environment trainer +not made yet", out, re.MULTILINE)
    assert re.search(r"^ +ftrun envs make trainer$", out, re.MULTILINE)


def test_a_full_or_forbidden_disk_is_broken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftrun.cli.doctor.LEAST_FREE", 1 << 60)
    (found,) = _check_disk("store", folder / "not" / "there", "FTRUN_STORE")
    assert (found.well, found.needed) == (False, True)
    assert "ftrun rm --unused" in str(found.hint)
    (found,) = _check_disk("store", Path("/proc/nothing"), "FTRUN_STORE")
    assert "cannot be written" in found.detail


def test_looks_run_at_one_time_and_late_ones_are_left_behind() -> None:
    over = threading.Event()

    def slow() -> Iterator[CheckResult]:
        yield CheckResult("first", True, "came")
        over.wait(20)

    def wrong() -> Iterator[CheckResult]:
        raise ValueError("boom")
        yield

    began = time.monotonic()
    found = list(
        _run_checks(
            [DoctorCheck("a", slow, True, 0.3), DoctorCheck("b", slow, False, 0.3), DoctorCheck("c", wrong, False)]
        )
    )
    assert time.monotonic() - began < 2
    over.set()
    assert [(one.what, one.well, one.needed) for one in found] == [
        ("first", True, True), ("a", False, True), ("first", True, True), ("b", False, False), ("c", False, False)
    ]  # fmt: skip
    assert "no answer within" in found[1].detail
    assert found[-1].detail == "ValueError: boom"


def test_a_plugin_adds_checks(told: Told) -> None:
    def checks(recipe: Any) -> list[DoctorCheck]:
        broken = CheckResult("licence", False, f"none for {recipe.name}", hint="buy one")
        return [DoctorCheck("licence", lambda: [broken])]

    with another_plugin(ftrun_doctor_checks=checks):
        assert told(expected=2)["licence"]["detail"] == "none for quickstart"
    assert "licence" not in told()
