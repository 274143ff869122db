"""`ftrun compare`: recipes, figures and evaluations side by side, and whether tuned models differ."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import RunFolder, Store
from ftrun.api.stage_call import StageCall
from ftrun.cli.main import run_command
from ftrun.recipe.load import Loaded
from ftrun.report.run_data import RunData
from ftrun.store.artifacts import reader
from ftrun_plugins.compare.metric_diff import differences
from ftrun_plugins.compare.model_comparison import compare_tuned_models
from ftrun_plugins.compare.table import comparison_lines, short_names
from helpers.ended_runs import call, ended_run, result, with_train

EVALUATION = {"exact_match": result(0.1, 0.5, (0.3, 0.5), "better")}
METRICS = {
    "evaluate": {"evaluation": EVALUATION},
    "tokenize": {"train_trained_tokens": 9028},
    "train": {"last_loss": 0.25},
}
Making = Callable[..., RunFolder]


def calls(model: str, data: str = "rows", base: str = "base", **options: Any) -> list[StageCall]:
    """A run of `model`: what it was evaluated on is `data`."""
    rows = call("format", data=data)
    answers = {
        role: call(f"generate:{role}", {"data": rows.ref}, name=name)
        for role, name in (("base", base), ("tuned", model))
    }
    inputs = {**{role: one.ref for role, one in answers.items()}, "data": rows.ref}
    score = call("score:exact_match", inputs, evaluator="exact_match", options=options)
    others = [call("tokenize"), call("train", name=model), call("evaluate", name=model)]
    return [rows, *others, *answers.values(), score]


def scored(scores: Sequence[float], first: int = 0) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "place": f"rows.jsonl:{index}",
            "base": {"score": 0.0},
            "tuned": {"score": score, "answer": "a"},
        }
        for index, score in enumerate(scores, first)
    ]


@pytest.fixture
def making(loading: Callable[..., Loaded], store: Store) -> Making:
    """Makes runs with scores of single rows, or with none."""

    def make(
        made: list[StageCall],
        rows: list[dict[str, Any]] | None,
        *overrides: str,
        higher_is_better: bool = True,
        train: Mapping[str, Any] | None = None,
        clusters: Mapping[str, str] | None = None,
        **more: Any,
    ) -> RunFolder:
        meaning = {"evaluator": "exact_match", "higher_is_better": higher_is_better}
        files: dict[str, Any] = (
            {"score:exact_match/score.json": meaning, "score:exact_match/scores.jsonl": rows} if rows else {}
        )
        if clusters:
            files["evaluate/clusters.json"] = {"exact_match": clusters}
        recipe = with_train(loading(*overrides).recipe, **(train or {}))
        return ended_run(store, recipe, made, files, METRICS, record=more)

    return make


def compared(store: Store, first: RunFolder, other: RunFolder) -> dict[str, Any]:
    (found,) = compare_tuned_models(RunData(first, reader(store)), RunData(other, reader(store)))
    return found


def test_runs_are_put_side_by_side(making: Making, capsys: pytest.CaptureFixture[str]) -> None:
    first = making(calls("one"), scored([1.0, 0.0] * 50))
    other = making(calls("two"), scored([1.0] * 100), "train.learning_rate=0.5", "train.lora_r=8", cost=1.5)
    assert run_command(["compare", first.id[:5], "last"]) == 0
    out = capsys.readouterr().out
    one, two = first.id[:6], other.id[:6]
    assert re.search(r"^run +status +trained tokens/epoch +loss +training +whole run +cost$", out, re.MULTILINE)
    assert re.search(rf"^{first.id} +done +9,028 +0.250 +1.5 s +1m30s$", out, re.MULTILINE)
    assert re.search(rf"^{other.id} +done +9,028 +0.250 +1.5 s +1m30s +\$1.50$", out, re.MULTILINE)
    assert re.search(rf"^recipe +{one} +{two}$", out, re.MULTILINE)
    assert re.search(r"^train.learning_rate +0.001 +0.5$", out, re.MULTILINE)
    assert re.search(r"^train.lora_r +8$", out, re.MULTILINE)
    assert "num_epochs" not in out
    assert re.search(r"^exact_match +rows +base", out, re.MULTILINE)
    assert re.search(rf"^{two} +100 +0.100 +0.500 +\+0.400  \+0.300 to \+0.500 +better$", out, re.MULTILINE)
    said = rf"  {two} against {one}: better, gain \+0.500 \(\+0.404 to \+0.596\) on 100 rows; p < 0.001"
    assert re.search(said, out)


def test_a_comparison_for_programs(making: Making, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [
        making(calls(name), scored([0.0, 1.0] * 20), f"train.num_epochs={number}")
        for number, name in enumerate("abc", 1)
    ]
    assert run_command(["compare", "--json", *(run.id for run in runs)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [run["run"] for run in found["runs"]] == [run.id for run in runs]
    assert found["runs"][0]["evaluation"] == EVALUATION
    assert found["differences"] == {"train.num_epochs": [1, 2, 3]}
    assert [(one["run"], one["against"]) for one in found["tuned"]] == [(run.id, runs[0].id) for run in runs[1:]]
    assert found["tuned"][0]["verdict"] == "no difference seen"


@pytest.mark.parametrize(
    ("theirs", "higher_is_better", "verdict"),
    [
        ([1.0] * 40, True, "better"),
        ([1.0] * 40, False, "worse"),
        ([0.0, 1.0] * 20, True, "no difference seen"),
        ([1.0] + [0.0, 1.0] * 19 + [1.0], True, "no difference seen"),
    ],
)
def test_tuned_models_differ_where_the_interval_says_so(
    theirs: list[float], higher_is_better: bool, verdict: str, making: Making, store: Store
) -> None:
    first = making(calls("one"), scored([0.0, 1.0] * 20), higher_is_better=higher_is_better)
    found = compared(store, first, making(calls("two"), scored(theirs)))
    assert (found["verdict"], found["rows"]) == (verdict, 40)
    assert found["tuned"][0] == 0.5


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"made": calls("two", data="others"), "rows": scored([1.0])}, "different rows, evaluators or options"),
        ({"made": calls("two", strict=True), "rows": scored([1.0])}, "different rows, evaluators or options"),
        ({"made": calls("two")[:-1], "rows": None}, "has no scores of single rows"),
        ({"made": calls("two"), "rows": None}, "are no longer in the store"),
        ({"made": calls("two"), "rows": scored([1.0], first=7)}, "no rows in common"),
        (
            {"made": calls("two"), "rows": [{"index": 0, "place": "a", "base": {"score": 1.0}}]},
            "are no longer in the store",
        ),
    ],
)
def test_what_cannot_be_compared_says_why(other: dict[str, Any], reason: str, making: Making, store: Store) -> None:
    first = making(calls("one"), scored([1.0, 0.0]))
    assert reason in compared(store, first, making(**other))["reason"]


def test_an_evaluation_without_a_tuned_model_is_not_compared(making: Making, store: Store) -> None:
    base = call("generate:base")
    alone = [base, call("evaluate"), call("score:exact_match", {"base": base.ref}, evaluator="exact_match", options={})]
    first = making(alone, None)
    assert compared(store, first, first)["reason"] == f"{first.id} has no tuned model"


def test_rows_that_both_runs_have_are_paired(making: Making, store: Store) -> None:
    first = making(calls("one"), scored([0.0] * 30))
    found = compared(store, first, making(calls("two"), scored([1.0] * 12)))
    assert (found["rows"], found["gain"]) == (12, 1.0)


def test_another_base_model_matters_only_to_evaluators_of_pairs(
    making: Making, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other = making(calls("one"), scored([0.0])), making(calls("two", base="another"), scored([1.0]))
    assert compared(store, first, other)["gain"] == 1.0
    monkeypatch.setattr("ftrun_plugins.evaluation.metrics.exact_match.ExactMatch.needs", "pairs")
    assert "different rows, evaluators or options" in compared(store, first, other)["reason"]


def test_scores_that_cannot_be_reached_leave_the_rest(making: Making, store: Store) -> None:
    def read(*_: object) -> bytes:
        raise InvalidInput(Problem("network", "Modal cannot be reached"))

    first = making(calls("one"), scored([1.0]))
    (found,) = compare_tuned_models(RunData(first, reader(store)), RunData(making(calls("two"), None), read))
    assert found["reason"] == "Modal cannot be reached"


@pytest.mark.parametrize("arguments", [[], ["last"], ["last", "last"]])
def test_one_run_is_no_comparison(arguments: list[str], making: Making, capsys: pytest.CaptureFixture[str]) -> None:
    making(calls("one"), None)
    assert run_command(["compare", *arguments]) == 2
    assert "[usage]" in capsys.readouterr().err


def test_secrets_are_not_shown(making: Making, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [making(calls("a"), None, train={"comet_api_key": f"key-of-{name}"}) for name in ("mine", "theirs")]
    for flags in ([], ["--json"]):
        assert run_command(["compare", *flags, *(run.id for run in runs)]) == 0
        assert "key-of" not in capsys.readouterr().out


def test_recipes_differ_where_any_value_does() -> None:
    recipes = [{"a": 1, "b": [1], "c": None}, {"a": 1, "b": [2], "c": None, "d": "x"}, {"a": 1, "b": [1], "c": None}]
    assert differences(recipes) == {"b": [[1], [2], [1]], "d": [None, "x", None]}


def test_the_table_is_bounded() -> None:
    run = {"status": "done", "trained_tokens": None, "loss": None, "eval_loss": None, "train_seconds": None}
    runs = [{**run, "run": name, "seconds": None, "cost": None, "evaluation": {}} for name in ("a1-x", "b2-x")]
    long = ["/the/same/folder/of/a/long/name/" + name * 60 for name in "pq"]
    text = list(comparison_lines(runs, {f"key{number}": long for number in range(100)}, []))
    assert len(text) < 50
    assert max(map(len, text)) < 80
    assert "…pppp" in text[5]
    assert text[-1].startswith("and 60 more values")
    assert list(comparison_lines(runs, {}, []))[-1] == "the recipes are the same"


def test_names_are_short_where_they_still_differ() -> None:
    assert short_names(["ab-x", "cd-x"]) == {"ab-x": "ab", "cd-x": "cd"}
    assert short_names(["ab-x", "ab-y"]) == {"ab-x": "ab-x", "ab-y": "ab-y"}


def test_clusters_of_the_first_run_count(making: Making, store: Store) -> None:
    clusters = {str(row): f"cluster {row // 10}" for row in range(100)}
    other = making(calls("two"), scored([1.0] * 40 + [0.0] * 60))
    assert compared(store, making(calls("one"), scored([0.0] * 100)), other)["verdict"] == "better"
    found = compared(store, making(calls("three"), scored([0.0] * 100), clusters=clusters), other)
    assert (found["verdict"], found["clusters"], found["rows"]) == ("no verdict", 10, 100)
