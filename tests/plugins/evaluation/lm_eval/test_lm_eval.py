"""Tasks of lm-evaluation-harness: what is planned, which metric is scored, which answers are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ftrun.api.context import Stopped
from ftrun.api.errors import FtrunError, InvalidInput
from ftrun.api.paths import Store
from ftrun.api.stage_call import Plan
from ftrun.execution.engine import make_backend
from ftrun.planning.planner import make_plan
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import Loaded
from ftrun.utils.jsonl import read_lines
from ftrun_plugins.evaluation.lm_eval.model import _default_to_greedy, _make_resumable
from ftrun_plugins.evaluation.lm_eval.worker import _choose_metric, _make_rows
from ftrun_plugins.evaluation.metrics.lm_eval import LmEval
from helpers.catalogue.case import is_about
from helpers.score_stage import context, scored, write

TASK = """\
task: capitals
dataset_path: json
dataset_kwargs: {data_files: {test: rows.jsonl}}
output_type: multiple_choice
"""
Planned = Callable[..., Plan]


@pytest.fixture
def planned(loading: Callable[..., Loaded], store: Store, folder: Path) -> Planned:
    """The plan of the small recipe with `evals.lm_eval` and overrides of it."""
    (folder / "rows.jsonl").write_text("{}\n")
    (folder / "task.yaml").write_text(TASK)

    def plan(**options: str) -> Plan:
        chosen = [f"evals.lm_eval.{name}={value}" for name, value in options.items()]
        recipe = loading("evals=[lm_eval,exact_match]", *chosen).recipe
        return make_plan(recipe, plugins(), make_backend(recipe, plugins(), store))

    return plan


def labels(plan: Plan, stage: str) -> list[str]:
    return [call.label for call in plan.calls if call.stage == stage]


def key(plan: Plan, label: str) -> str:
    return next(call.key for call in plan.calls if call.label == label)


def test_each_model_is_asked_and_each_evaluation_scored(planned: Planned) -> None:
    plan = planned(task="gsm8k", metric="'exact_match,flexible-extract'")
    assert labels(plan, "lm_eval") == ["lm_eval:lm_eval:base", "lm_eval:lm_eval:tuned"]
    assert labels(plan, "score") == ["score:lm_eval", "score:exact_match"]
    asked = next(call for call in plan.calls if call.label == "lm_eval:lm_eval:tuned")
    assert (asked.environment.name, asked.optional_secrets, set(asked.inputs)) == (
        "server_cpu",
        ("huggingface",),
        {"model"},  # merged
    )
    assert (asked.params["task"], asked.params["metric"]) == ("gsm8k", "exact_match,flexible-extract")
    score = next(call for call in plan.calls if call.label == "score:lm_eval")
    assert (set(score.inputs), score.params["options"]) == ({"base", "tuned"}, {})


def test_the_content_of_a_task_file_and_of_its_rows_is_in_the_key(planned: Planned, folder: Path) -> None:
    label = "lm_eval:lm_eval:base"
    first = planned(task_file="task.yaml")
    call = next(call for call in first.calls if call.label == label)
    assert list(call.local_files.values()) == [folder / "rows.jsonl"]
    assert call.optional_secrets == ()
    assert str(folder) not in str(call.identity)
    (folder / "task.yaml").rename(folder / "moved.yaml")
    (folder / "moved.yaml").write_text("# a comment\n" + TASK)
    assert key(planned(task_file="moved.yaml"), label) == key(first, label)
    (folder / "rows.jsonl").write_text('{"more": 1}\n')
    second = planned(task_file="moved.yaml")
    assert key(second, label) != key(first, label)
    assert key(planned(task_file="moved.yaml", limit="3"), label) != key(second, label)
    assert key(planned(task_file="moved.yaml", **{"gate.min": "0.5"}), "score:lm_eval") == key(second, "score:lm_eval")


def test_a_recipe_names_one_task(planned: Planned) -> None:
    for options in ({}, {"task": "gsm8k", "task_file": "task.yaml"}):
        with pytest.raises(InvalidInput) as refused:
            planned(**options)
        assert refused.value.problems[0].expected == "either `task` or `task_file`"
    with pytest.raises(InvalidInput) as refused:
        planned(task_file="none.yaml")
    assert refused.value.problems[0].code == "file-not-found"
    assert "task_file=none.yaml" in str(refused.value.problems[0].at)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def perplexity(values: Sequence[float]) -> float:
    return -mean(values)


def sample(document: int, by: str, **values: Any) -> dict[str, Any]:
    return {"doc_id": document, "filter": by, **values}


TASKS = SimpleNamespace(aggregation=lambda: {"perplexity": perplexity, "f1": mean, "acc": mean, "acc_norm": mean})
SAMPLES = [
    sample(document, by, perplexity=-3.0, f1=(1, 0), acc=1, acc_norm=0.0)
    for by in ("strict", "loose")
    for document in (0, 1)
]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        # the first is a loss that the harness turns round, the second a pair: neither can be averaged
        (None, ("acc", "strict")),
        ("acc_norm", ("acc_norm", "strict")),
        ("acc,loose", ("acc", "loose")),
        (",loose", ("acc", "loose")),
    ],
)
def test_the_metric_is_one_of_single_documents(wanted: str | None, expected: tuple[str, str]) -> None:
    assert _choose_metric("mine", TASKS, SAMPLES, wanted) == expected


@pytest.mark.parametrize("wanted", ["f1", "perplexity", "none", "acc,none"])
def test_another_metric_is_refused_with_those_that_there_are(wanted: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        _choose_metric("mine", TASKS, SAMPLES, wanted)
    assert refused.value.problems[0].expected == "one of acc,strict, acc,loose, acc_norm,strict, acc_norm,loose"
    with pytest.raises(InvalidInput) as refused:
        _choose_metric("mine", TASKS, [sample(0, "none", acc="many")], None)
    (problem,) = refused.value.problems
    assert (problem.code, problem.at, problem.expected) == ("unknown-name", "metric", None)


def nanmean(values: Sequence[float]) -> float:
    """An aggregation of the harness, of which only the name counts."""
    raise NotImplementedError(values)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_score_that_is_not_finite_is_refused_with_its_document(value: float) -> None:
    samples = [sample(0, "none", acc=1.0), sample(1, "none", acc=value)]
    with pytest.raises(FtrunError) as refused:
        list(_make_rows({"mine": samples}, {"mine": TASKS}, *_choose_metric("mine", TASKS, samples, "acc")))
    (problem,) = refused.value.problems
    assert (problem.code, problem.at) == ("not-finite", "mine:1")


def test_a_document_that_the_task_leaves_out_is_unscored() -> None:
    task = SimpleNamespace(aggregation=lambda: {"acc": nanmean})
    samples = [sample(0, "none", acc=float("nan")), sample(1, "none", acc=1.0)]
    rows = list(_make_rows({"mine": samples}, {"mine": task}, *_choose_metric("mine", task, samples, None)))
    assert [(row["place"], row["score"]) for row in rows] == [("mine:0", None), ("mine:1", 1.0)]
    assert rows[0]["reason"]


def test_a_task_without_documents_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        _choose_metric("mine", TASKS, [], None)
    (problem,) = refused.value.problems
    assert is_about(problem.code, problem.what, "invalid-task `mine`")


def test_answers_are_kept_and_not_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftrun_plugins.evaluation.lm_eval.model.MAX_QUEUED", 2)
    asked: list[list[str]] = []

    def ask(requests: Sequence[str]) -> list[tuple[float, bool]]:
        asked.append(list(requests))
        if "c" in requests and len(asked) < 3:
            raise OSError("killed")
        return [(ord(request) / 8, True) for request in requests]

    into = context(tmp_path, {})
    with pytest.raises(OSError, match="killed"):
        _make_resumable(ask, into, "loglikelihood")(["a", "b", "c"])
    assert _make_resumable(ask, into, "loglikelihood")(["a", "b", "c"]) == [
        (12.125, True),
        (12.25, True),
        (12.375, True),
    ]
    assert asked == [["a", "b"], ["c"], ["c"]]
    stopped = context(tmp_path, {}, stop=True)
    with pytest.raises(Stopped):
        _make_resumable(ask, stopped, "generate_until")(["a"])


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"until": []}, {"until": [], "do_sample": False}),
        ({"do_sample": True}, {"do_sample": True}),
        ({"temperature": 0.7}, {"temperature": 0.7}),
    ],
)
def test_a_task_that_says_nothing_of_sampling_means_none(said: dict[str, Any], meant: dict[str, Any]) -> None:
    assert _default_to_greedy(lambda options, **more: (options, more))(said, eos="x") == (meant, {"eos": "x"})


def test_the_task_says_whether_more_is_better(tmp_path: Path) -> None:
    for role, score in (("base", 2.0), ("tuned", 1.0)):
        write(tmp_path / role / "scores.jsonl", {"index": 0, "place": "mine:0", "score": score})
        write(tmp_path / role / "score.json", {"metric": "ter", "higher_is_better": False})
    found = scored(tmp_path / "s", LmEval, {role: tmp_path / role for role in ("base", "tuned")})
    assert found == [{"index": 0, "place": "mine:0", "base": {"score": 2.0}, "tuned": {"score": 1.0}}]
    (meaning,) = read_lines(tmp_path / "s" / "output" / "score.json")
    assert meaning == {"evaluator": "lm_eval", "higher_is_better": False, "metric": "ter"}
