"""What a plan says about the gain that its held-out rows can show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftrun.api.paths import Store
from ftrun.cli.evaluation_power import compute_power, power_lines
from ftrun.cli.main import run_command
from ftrun.store.artifacts import describe, publish
from ftrun.workflow.session import open_session

RECIPE = "recipe=quickstart"


@pytest.mark.parametrize(("rows", "rate", "deviations"), [(100, 0.14, 0.28), (400, 0.07, 0.14), (20, 0.39, 0.63)])
def test_more_rows_show_smaller_gains(rows: int, rate: float, deviations: float) -> None:
    power = compute_power(rows)
    assert (power.rows, power.rate, power.deviations) == (
        rows,
        pytest.approx(rate, abs=0.005),
        pytest.approx(deviations, abs=0.005),
    )


def test_too_few_rows_are_said_to_give_no_verdict() -> None:
    assert len(list(power_lines(compute_power(19)))) == 1
    assert compute_power(1).rate == 1.0


def test_a_plan_has_it_once_the_rows_are_formatted(
    capsys: pytest.CaptureFixture[str], store: Store, folder: Path
) -> None:
    assert run_command(["plan", "--json", "--no-check", RECIPE]) == 0
    assert json.loads(capsys.readouterr().out)["evaluation_power"] is None
    session = open_session((RECIPE,), False)
    call = next(call for call in session.plan.calls if call.label == "format")
    publish(store, call.ref, describe(store, call, "run", 1.0, {"held_out": 400}, (), {}))
    assert run_command(["plan", "--json", "--no-check", RECIPE]) == 0
    assert json.loads(capsys.readouterr().out)["evaluation_power"]["rows"] == 400
    assert run_command(["plan", "--no-check", RECIPE, "generate.rows=50"]) == 0
    assert "50 held-out rows" in capsys.readouterr().out
