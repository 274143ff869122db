"""Whoever takes a key, and whenever a container begins late, at most one call works on it."""

from __future__ import annotations

from typing import Any

import pytest

from ftrun.api.stage_call import Ref
from ftrun_plugins.modal import claims as module
from ftrun_plugins.modal.claims import Claim, Claims

REF = Ref(stage="train", key="k")


class Entries(dict[str, Any]):
    """A Dict as far as claims use it; every request is counted."""

    def put(self, name: str, value: Any, *, skip_if_exists: bool = False) -> bool:
        if skip_if_exists and name in self:
            return False
        self[name] = value
        return True


@pytest.fixture
def claims(monkeypatch: pytest.MonkeyPatch) -> Claims:
    """Claims on an empty Dict; calls live until they are put into its `dead`."""
    made = Claims.__new__(Claims)
    made._entries = Entries()
    monkeypatch.setattr(module, "is_alive", lambda call: call not in made._entries.get("dead", ()))
    return made


def test_one_of_two_schedulers_takes_a_generation(claims: Claims) -> None:
    assert claims.latest(REF) is None
    assert claims.acquire(REF, 1, "launch-a")
    assert not claims.acquire(REF, 1, "launch-b")
    assert claims.acquire(REF, 1, "launch-a")  # the same one again: its first answer may have been lost
    assert claims.latest(REF) == Claim(1, "launch-a", None)


def test_one_of_two_submissions_begins(claims: Claims) -> None:
    claims.acquire(REF, 1, "launch-a")
    assert claims.attach(REF, 1, "call-1") == "call-1"
    assert claims.attach(REF, 1, "call-2") == "call-1"
    assert claims.attach(REF, 1, "call-1") == "call-1"  # preempted, and begun again
    assert claims.latest(REF) == Claim(1, "launch-a", "call-1")


@pytest.mark.parametrize("late_first", [True, False])
def test_a_call_that_begins_after_its_generation_was_given_up_never_works_beside_another(
    late_first: bool, claims: Claims
) -> None:
    claims.acquire(REF, 1, "launch-a")  # it submitted, died, and its call waited for a GPU
    claims.acquire(REF, 2, "launch-b")
    working = []
    for generation, call in ((1, "late"), (2, "new")) if late_first else ((2, "new"), (1, "late")):
        assert claims.attach(REF, generation, call) == call
        if claims.competing_call(REF, generation) is None:
            working.append(call)
    assert len(working) <= 1
    assert "late" not in working


def test_a_later_generation_waits_for_a_call_that_had_begun(claims: Claims) -> None:
    claims.acquire(REF, 1, "launch-a")
    claims.attach(REF, 1, "old")
    assert claims.competing_call(REF, 1) is None
    claims.acquire(REF, 2, "launch-b")
    claims.attach(REF, 2, "new")
    assert claims.competing_call(REF, 2) == "old"
    claims._entries["dead"] = ("old",)
    assert claims.competing_call(REF, 2) is None


def test_tries_count_until_there_is_a_new_checkpoint(claims: Claims) -> None:
    assert [claims.count_try(REF, 1, step) for step in (None, None, 5, 5, 5, 10)] == [1, 2, 1, 2, 3, 1]


def test_a_cancelled_run_can_be_allowed_again(claims: Claims) -> None:
    claims.mark_cancelled("run")
    assert claims.is_cancelled("run")
    claims.clear_cancelled("run")
    assert not claims.is_cancelled("run")
