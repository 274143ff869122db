"""Secrets in the output of stage processes are hidden, wherever the output is cut into pieces."""

from __future__ import annotations

import pytest

from ftrun.api.redaction import HIDDEN
from ftrun.execution.log_filter import LONGEST_LINE, LogFilter

SECRET = "a-secret-value"
OUTPUT = f"ä {SECRET}\n\xff 10%\r20% api_key={SECRET}\rpassword={SECRET} end".encode("utf-8", "replace") + b"\xff"


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_OWN", SECRET)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_no_cut_shows_a_secret(size: int) -> None:
    lines = LogFilter(["MY_OWN"])
    pieces = [lines.feed(OUTPUT[start : start + size]) for start in range(0, len(OUTPUT), size)]
    shown = b"".join([*pieces, lines.close()])
    assert shown == OUTPUT.replace(SECRET.encode(), HIDDEN.encode())


def test_a_progress_bar_is_shown_at_once() -> None:
    assert LogFilter(["MY_OWN"]).feed(b"10%\r20") == b"10%\r"


def test_a_line_without_end_is_not_kept_for_ever() -> None:
    assert LogFilter(["MY_OWN"]).feed(b"x" * (LONGEST_LINE + 1))
