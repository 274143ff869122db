"""Held-out rows that an evaluation cannot score end the run before the training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.api.paths import Store
from ftrun.api.stage_call import Plan
from ftrun.execution.engine import make_backend
from ftrun.planning.planner import make_plan
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import Loaded
from ftrun.utils.jsonl import read_lines
from ftrun_plugins.evaluation.metrics.regex import Regex
from ftrun_plugins.evaluation.metrics.sql_execution import SqlExecution
from ftrun_plugins.evaluation.score.stage import Score
from helpers.score_stage import call, context, rows, write

TABLE = "CREATE TABLE t (a INT);"


def checked(
    tmp_path: Path, evaluator: type, *columns: dict[str, Any], on_bad_row: str = "stop", **options: Any
) -> Path:
    data = rows(tmp_path / "d", len(columns))
    write(data / "held_out.rows.jsonl", *columns)
    params = {"what": "rows", "evaluator": "any", "options": options, "on_bad_row": on_bad_row}
    Score().run(call(Score, params, evaluator), context(tmp_path / "s", {"data": data}))
    return tmp_path / "s" / "events.jsonl"


def test_wrong_rows_are_reported_by_reason_with_their_places(tmp_path: Path) -> None:
    wrong = [{"wanted": "("}, {"wanted": "a"}, {}, {"wanted": "("}]
    with pytest.raises(InvalidInput) as refused:
        checked(tmp_path, Regex, *wrong, pattern_field="wanted")
    problems = refused.value.problems
    assert {problem.code for problem in problems} == {"bad-evaluation-row"}
    assert [problem.at for problem in problems] == ["rows.jsonl:1, rows.jsonl:4", "rows.jsonl:3"]
    assert all(problem.hint for problem in problems)


@pytest.mark.parametrize("row", [{"schema": "CREATE"}, {"schema": 3}, {"schema": TABLE}])
def test_schemas_and_references_run(tmp_path: Path, row: dict[str, Any]) -> None:
    """The reference is `yes`, which is no SQL."""
    with pytest.raises(InvalidInput) as refused:
        checked(tmp_path, SqlExecution, row)
    assert [problem.at for problem in refused.value.problems] == ["rows.jsonl:1"]


def test_a_recipe_that_skips_bad_rows_leaves_them_unscored(tmp_path: Path) -> None:
    events = list(read_lines(checked(tmp_path, Regex, {}, {"w": "a"}, on_bad_row="skip", pattern_field="w")))
    assert [event["kind"] for event in events if event["kind"] != "progress"] == ["warning", "metric"]
    assert (events[-1]["rows"], events[-1]["wrong"]) == (2, 1)


def test_plain_texts_have_nothing_to_score(tmp_path: Path) -> None:
    data = rows(tmp_path / "d", 1)
    (data / "report.json").write_text('{"kind": "text"}')
    params = {"what": "rows", "evaluator": "any", "options": {"pattern": "a"}, "on_bad_row": "stop"}
    with pytest.raises(InvalidInput) as refused:
        Score().run(call(Score, params, Regex), context(tmp_path / "s", {"data": data}))
    assert refused.value.problems[0].code == "no-rows"


def test_the_check_needs_no_answers_and_shares_no_key_with_them(
    loading: Callable[..., Loaded], store: Store, folder: Path
) -> None:
    def planned(*overrides: str) -> Plan:
        recipe = loading("evals=[sql_execution,exact_match]", *overrides).recipe
        return make_plan(recipe, plugins(), make_backend(recipe, plugins(), store))

    first, second = planned(), planned("train.learning_rate=5e-4", "generate.temperature=1")
    labels = [each.label for each in first.calls if each.stage == "score"]
    assert labels == ["score:sql_execution:rows", "score:sql_execution", "score:exact_match"]
    keys = [{each.label: each.key for each in plan.calls} for plan in (first, second)]
    assert keys[0][labels[0]] == keys[1][labels[0]]
    assert keys[0][labels[1]] != keys[1][labels[1]]
