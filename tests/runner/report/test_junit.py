"""Gates as JUnit XML."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from ftrun.api.paths import Store
from ftrun.cli.main import run_command
from ftrun.recipe.load import Loaded
from helpers.ended_runs import call, ended_run, result

MET = {"rule": "min", "limit": 0.5, "met": True, "value": 0.6}
UNMET = {"rule": "min_gain_over_base", "limit": 0.2, "met": False, "value": 0.1, "detail": "reaches\x1b <0.1>"}
Written = Callable[..., ElementTree.Element]


@pytest.fixture
def written(loading: Callable[..., Loaded], store: Store, tmp_path: Path) -> Written:
    def write(record: dict[str, Any] | None = None, **gates: list[dict[str, Any]]) -> ElementTree.Element:
        evaluation = {name: result(0.1, 0.4, (0.2, 0.4), "better", gate=gate) for name, gate in gates.items()}
        ended_run(
            store, loading().recipe, [call("evaluate")], metrics={"evaluate": {"evaluation": evaluation}}, record=record
        )
        assert run_command(["show", "--junit", str(tmp_path / "gates.xml")]) == 0
        return ElementTree.parse(tmp_path / "gates.xml").getroot()

    return write


def test_each_rule_is_a_test(written: Written) -> None:
    suite = written(one=[MET, UNMET, {**UNMET, "level": "warn"}], two=[])
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4", "failures": "1", "errors": "0", "skipped": "1",
    }  # fmt: skip
    cases = [(case.get("classname"), case.get("name"), [part.tag for part in case]) for case in suite]
    assert cases == [
        ("evals.one", "min 0.5", ["system-out"]),
        ("evals.one", "min_gain_over_base 0.2", ["failure", "system-out"]),
        ("evals.one", "min_gain_over_base 0.2", ["skipped", "system-out"]),
        ("evals.two", "better", ["system-out"]),
    ]
    assert "reaches? <0.1>" in (suite[1][0].get("message") or "")


def test_a_failed_run_is_an_error(written: Written) -> None:
    suite = written({"status": "failed", "problems": ({"code": "x", "what": "the disk is full"},)})
    assert (suite.get("errors"), suite[0][0].get("message")) == ("1", "the disk is full")
