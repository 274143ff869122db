from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftrun_plugins.serving.hosts import is_allowed


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "me.localhost", "127.0.0.1:80", "10.1.2.3", "[::1]", "[fe80::1]:9"]
)
def test_names_of_this_machine_and_addresses_are_allowed(host: str) -> None:
    assert is_allowed(host, [])


@pytest.mark.parametrize(
    "host", ["", "evil", "localhost.evil", "a@localhost", "localhost/", "::1", "localhost:80:80", "127.1"]
)
def test_other_names_are_not(host: str) -> None:
    assert not is_allowed(host, [])


def test_patterns_allow_names_below_theirs_and_nothing_else() -> None:
    allowed = ["gpu.example.com", "*.here"]
    assert is_allowed("GPU.example.com:8000", allowed)
    assert is_allowed("a.b.here.", allowed)
    assert not is_allowed("here", allowed)
    assert not is_allowed("xgpu.example.com", allowed)
    assert not is_allowed("gpu.example.com.evil", allowed)


@given(st.text())
def test_any_text_has_an_outcome(host: str) -> None:
    assert is_allowed(host, []) in (True, False)
