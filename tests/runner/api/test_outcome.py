"""Exceptions of stages as outcomes: whose fault, and every reason."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError, model_validator

from ftrun.api.errors import (
    MOST_LINES,
    FtrunError,
    Interrupted,
    InvalidInput,
    Problem,
    StageError,
    StoreError,
    error_text,
)
from ftrun.api.known_errors import FailedCall
from ftrun.api.outcome import StageOutcome

PROBLEM = Problem("invalid-value", "it is wrong", "here")


class Trainer(BaseModel):
    lora_r: int
    adapter: str | None = None

    @model_validator(mode="after")
    def rank_needs_adapter(self) -> Trainer:
        if self.adapter is None:
            raise ValueError("lora_r needs an adapter")
        if self.lora_r == 0:
            raise ValueError("qlora needs a rank")
        return self


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (InvalidInput(PROBLEM), "user"),
        (StoreError(PROBLEM), "store"),
        (StageError("train", PROBLEM), "stage"),
        (FtrunError(PROBLEM), "stage"),
    ],
)
def test_errors_of_ftrun_keep_their_problems_and_their_fault(error: FtrunError, fault: str, tmp_path: Path) -> None:
    outcome = StageOutcome.failed(error, tmp_path)
    assert (outcome.status, outcome.fault, outcome.problems) == ("failed", fault, (PROBLEM,))


def test_a_full_disk_is_the_stores_fault(tmp_path: Path) -> None:
    assert StageOutcome.failed(OSError(errno.ENOSPC, "No space left on device"), tmp_path).fault == "store"


def test_each_error_of_a_model_is_a_problem(tmp_path: Path) -> None:
    found = []
    for values in ({"lora_r": 8}, {"lora_r": "eight", "adapter": 7}):
        with pytest.raises(ValidationError) as caught:
            Trainer.model_validate(values)
        found.append([(one.at, one.what) for one in StageOutcome.failed(caught.value, tmp_path).problems])
    assert found[0] == [("Trainer", "lora_r needs an adapter")]
    assert [where for where, _ in found[1]] == ["lora_r", "adapter"]
    assert "integer" in found[1][0][1]


def test_errors_of_a_trainer_have_the_keys_of_the_recipe(tmp_path: Path) -> None:
    places = []
    for values in ({"lora_r": 8}, {"lora_r": "eight", "adapter": 7}, {"lora_r": 0, "adapter": "qlora"}):
        with pytest.raises(ValidationError) as caught:
            Trainer.model_validate(values)
        outcome = StageOutcome.failed(caught.value, tmp_path, call=FailedCall("train", {"trainer": values}))
        assert outcome.fault == "user"
        places.append([problem.at for problem in outcome.problems])
    assert places == [["train.lora_r"], ["train.lora_r", "train.adapter"], ["train.adapter"]]


def test_a_message_keeps_its_lines_up_to_a_screen() -> None:
    assert error_text(ValueError("boom\n\n  and why\n")) == "ValueError: boom\n  and why"
    assert error_text(KeyError()) == "KeyError: no message"
    long = error_text(RuntimeError("\n".join("x" * 1000 for _ in range(50)))).splitlines()
    assert len(long) == MOST_LINES + 1
    assert long[-1] == "and 38 more lines in the log"
    assert max(map(len, long)) < 400


def test_any_other_error_is_the_stages_fault(tmp_path: Path) -> None:
    outcome = StageOutcome.failed(RuntimeError("boom"), tmp_path)
    assert (outcome.status, outcome.fault) == ("failed", "stage")
    assert [problem.what for problem in outcome.problems] == ["RuntimeError: boom"]


@pytest.mark.parametrize(
    "outcome",
    [
        StageOutcome("done"),
        StageOutcome("stopped"),
        StageOutcome(
            "failed", "user", (PROBLEM, Problem("more", "more", expected="a number", did_you_mean=("7",), hint="look"))
        ),
    ],
    ids=lambda outcome: outcome.status,
)
def test_an_outcome_is_read_as_it_was_saved(outcome: StageOutcome, tmp_path: Path) -> None:
    outcome.save(tmp_path / "outcome.json")
    assert StageOutcome.read(tmp_path / "outcome.json") == outcome


def test_a_process_that_was_killed_leaves_no_outcome(tmp_path: Path) -> None:
    assert StageOutcome.read(tmp_path / "outcome.json") is None


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (StageOutcome("failed", "user", (PROBLEM,)), InvalidInput),
        (StageOutcome("failed", "store", (PROBLEM,)), StoreError),
        (StageOutcome("failed", "stage", (PROBLEM,)), StageError),
        (StageOutcome("failed", None, (PROBLEM,)), StageError),
    ],
)
def test_an_outcome_stands_for_an_error(outcome: StageOutcome, kind: type[FtrunError]) -> None:
    error = outcome.error("train")
    assert type(error) is kind
    assert error.problems == (PROBLEM,)


def test_a_stopped_call_can_be_resumed() -> None:
    error = StageOutcome("stopped").error("train")
    assert isinstance(error, Interrupted)
    (problem,) = error.problems
    assert problem.code == "stopped"
    assert "ftrun resume" in str(problem.hint)
