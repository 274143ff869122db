"""Results of evaluations: rows that count, clusters, verdicts, gates and samples."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ftrun.api.context import StageContext
from ftrun.api.errors import InvalidInput
from ftrun.utils.jsonl import read_lines
from ftrun_plugins.evaluation.evaluate.stage import DATA, Evaluate
from helpers.score_stage import call, context, write

Score = float | None | dict[str, Any]


def as_scores(
    folder: Path, base: Sequence[Score], tuned: Sequence[Score] | None, higher_is_better: bool = True
) -> Path:
    """What `score` makes. A score of None is that of an unscored row."""
    roles = {"base": base, **({"tuned": tuned} if tuned is not None else {})}
    write(
        folder / "scores.jsonl",
        *(
            {"index": index, "place": f"rows.jsonl:{index + 1}", "reference": "yes"}
            | {
                role: score
                if isinstance(score, dict)
                else {"score": score, "reason": None, "answer": f"{role} {score}"}
                for role, score in zip(roles, scores, strict=True)
            }
            for index, scores in enumerate(zip(*roles.values(), strict=True))
        ),
    )
    (folder / "score.json").write_text(json.dumps({"evaluator": "exact_match", "higher_is_better": higher_is_better}))
    return folder


def as_rows(folder: Path, rows: Sequence[Mapping[str, Any]], questions: Sequence[str]) -> Path:
    """What `format` makes of held-out rows."""
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps({"kind": "chat"}))
    write(folder / "held_out.rows.jsonl", *rows)
    write(
        folder / "held_out.jsonl",
        *(
            {
                "place": f"rows.jsonl:{number + 1}",
                "messages": [{"role": "user", "content": question}, {"role": "assistant", "content": f"a{number}"}],
            }
            for number, question in enumerate(questions)
        ),
    )
    return folder


def evaluated(
    folder: Path, inputs: Mapping[str, Path], group_columns: Sequence[str] = (), **evals: dict[str, Any]
) -> tuple[dict[str, Any], StageContext]:
    into = context(folder, inputs)
    Evaluate().run(call(Evaluate, {"evals": evals, "group_columns": group_columns}), into)
    return json.loads((into.output / "evaluation.json").read_text()), into


def test_scores_are_compared_and_gates_checked(tmp_path: Path) -> None:
    inputs = {"exact": as_scores(tmp_path / "s", [0.0] * 40, [1.0] * 39 + [0.0])}
    gate = {"min": 0.9, "min_gain_over_base": 0.8, "max_loss_vs_base": 0.0}
    found, into = evaluated(tmp_path, inputs, exact={"gate": gate})
    result = found["exact"]
    assert (result["evaluator"], result["rows"], result["base"], result["tuned"]) == ("exact_match", 40, 0.0, 0.975)
    assert (result["verdict"], result["gain"], result["p"] < 1e-6) == ("better", 0.975, True)
    assert result["interval"][0] < 0.975 < result["interval"][1]
    # 0.975 is over 0.9, but 40 rows do not show that the rate is
    assert [(gate.name, gate.met) for gate in into.report.gates] == [
        ("evals.exact.gate.min", False),
        ("evals.exact.gate.min_gain_over_base", True),
        ("evals.exact.gate.max_loss_vs_base", True),
    ]
    assert into.report.metrics["evaluation"] == found
    samples = list(read_lines(into.output / "samples.jsonl"))
    assert len(samples) == 39
    assert samples[0]["tuned"] == {"score": 1.0, "reason": None, "answer": "tuned 1.0"}


def test_unscored_rows_are_left_out_for_both_models_and_counted(tmp_path: Path) -> None:
    base: list[Score] = [0.0] * 96 + [None, None, 1.0, 1.0]
    tuned: list[Score] = [1.0] * 96 + [1.0, None, None, 1.0]
    found, into = evaluated(tmp_path, {"exact": as_scores(tmp_path / "s", base, tuned)}, exact={"gate": {"min": 0.5}})
    assert (found["exact"]["rows"], found["exact"]["unscored"]) == (97, 3)
    assert [(gate.name, gate.met) for gate in into.report.gates] == [
        ("evals.exact.gate.min", True),
        ("evals.exact.gate.max_unscored", False),
    ]
    gate = {"min": 0.5, "max_unscored": 0.03}
    _, allowing = evaluated(tmp_path / "a", {"exact": tmp_path / "s"}, exact={"gate": gate})
    assert [gate.met for gate in allowing.report.gates] == [True, True]


def test_cut_answers_are_counted_by_model(tmp_path: Path) -> None:
    cut = {"score": 0.0, "reason": None, "answer": "and", "cut": True}
    found, _ = evaluated(tmp_path, {"exact": as_scores(tmp_path / "s", [cut, cut, 1.0], [1.0, cut, 1.0])}, exact={})
    assert found["exact"]["cut"] == {"base": 2, "tuned": 1}
    assert (found["exact"]["verdict"], found["exact"]["reason"]) == ("no verdict", "fewer than 20 rows")


def test_a_run_without_a_tuned_model_meets_no_gate(tmp_path: Path) -> None:
    inputs = {"exact": as_scores(tmp_path / "s", [1.0] * 40, None)}
    gate = {"min": 0.1, "max": 1.0, "min_gain_over_base": -1.0, "max_loss_vs_base": 1.0}
    found, into = evaluated(tmp_path, inputs, exact={"gate": gate})
    assert (found["exact"]["base"], "tuned" in found["exact"]) == (1.0, False)
    assert [gate.met for gate in into.report.gates] == [False] * 4


def test_a_gate_that_warns_does_not_fail_the_run(tmp_path: Path) -> None:
    inputs = {"exact": as_scores(tmp_path / "s", [0.0] * 40, [0.0] * 40)}
    found, into = evaluated(tmp_path, inputs, exact={"gate": {"min": 0.5, "level": "warn"}})
    assert into.report.gates == []
    assert [(rule["met"], rule["level"]) for rule in found["exact"]["gate"]] == [(False, "warn")]
    events = (tmp_path / "events.jsonl").read_text()
    assert "evals.exact.gate.min" in events


@pytest.mark.parametrize(("confidence", "met"), [(True, False), (False, True)])
def test_gates_use_the_end_of_the_interval_unless_the_recipe_says_otherwise(
    confidence: bool, met: bool, tmp_path: Path
) -> None:
    inputs = {"exact": as_scores(tmp_path / "s", [0.0] * 30 + [1.0] * 70, [1.0] * 90 + [0.0] * 10)}
    gate = {"min_gain_over_base": 0.2, "min": 0.9, "confidence": confidence}
    _, into = evaluated(tmp_path, inputs, exact={"gate": gate})
    assert [gate.met for gate in into.report.gates] == [met, met]


@pytest.mark.parametrize(("losses", "met"), [(0, True), (5, False)])
def test_no_loss_is_shown_only_if_the_interval_excludes_it(losses: int, met: bool, tmp_path: Path) -> None:
    """5 of 300 are a loss of 1.7 %, but losses of more than 2 % remain possible."""
    inputs = {"exact": as_scores(tmp_path / "s", [1.0] * 300, [0.0] * losses + [1.0] * (300 - losses))}
    _, into = evaluated(tmp_path, inputs, exact={"gate": {"max_loss_vs_base": 0.02}})
    assert [gate.met for gate in into.report.gates] == [met]


def test_a_loss_has_a_maximum(tmp_path: Path) -> None:
    base = [2.0 + index / 100 for index in range(50)]
    inputs = {"loss": as_scores(tmp_path / "s", base, [0.5 + index / 200 for index in range(50)], False)}
    found, into = evaluated(tmp_path, inputs, loss={"gate": {"max": 0.8, "min_gain_over_base": 1.0}})
    assert (found["loss"]["verdict"], found["loss"]["gain"]) == ("better", pytest.approx(1.6225))
    assert [gate.met for gate in into.report.gates] == [True, True]
    assert found["loss"]["gate"][0]["value"] == found["loss"]["tuned_interval"][1]


def test_rows_with_the_same_prompt_are_one_cluster(tmp_path: Path) -> None:
    questions = [f"q{row // 4}" for row in range(100)]
    data = as_rows(tmp_path / "d", [{"id": row} for row in range(100)], questions)
    scores = as_scores(tmp_path / "s", [0.0] * 100, [float(row // 4 % 5 == 0) for row in range(100)])
    found, into = evaluated(tmp_path, {"exact": scores, DATA: data}, exact={})
    assert (found["exact"]["rows"], found["exact"]["clusters"]) == (100, 25)
    assert found["exact"]["verdict"] == "no difference seen"  # of 25 questions, 5 are won: p is 0.0625
    alone, _ = evaluated(tmp_path / "a", {"exact": scores}, exact={})
    assert alone["exact"]["verdict"] == "better"
    clusters = json.loads((into.output / "clusters.json").read_text())["exact"]
    assert (len(clusters), len(set(clusters.values()))) == (100, 25)


def test_rows_that_all_ask_the_same_are_no_cluster(tmp_path: Path) -> None:
    data = as_rows(tmp_path / "d", [{"id": row} for row in range(30)], ["write a poem"] * 30)
    found, _ = evaluated(tmp_path, {"exact": as_scores(tmp_path / "s", [0.0] * 30, [1.0] * 30), DATA: data}, exact={})
    assert "clusters" not in found["exact"]


def test_columns_form_clusters(tmp_path: Path) -> None:
    rows = [{"group": row // 2, "document": row // 4} for row in range(100)]
    data = as_rows(tmp_path / "d", rows, [f"q{row}" for row in range(100)])
    inputs = {name: as_scores(tmp_path / name, [0.0] * 100, [1.0, 0.0] * 50) for name in ("one", "two", "bench")}
    found, _ = evaluated(
        tmp_path,
        {**inputs, DATA: data},
        ["absent", "group"],
        one={},
        two={"cluster": "document"},
        bench={"held_out": False},
    )
    assert [found[name].get("clusters") for name in ("one", "two", "bench")] == [50, 25, None]


def test_a_column_that_no_row_has(tmp_path: Path) -> None:
    data = as_rows(tmp_path / "d", [{"id": 1}, {"id": 2}], ["a", "b"])
    inputs = {"exact": as_scores(tmp_path / "s", [0.0] * 2, [1.0] * 2), DATA: data}
    with pytest.raises(InvalidInput) as refused:
        evaluated(tmp_path, inputs, exact={"cluster": "document"})
    (problem,) = refused.value.problems
    assert (problem.code, problem.at, problem.expected) == ("unknown-column", "evals.exact.cluster", "id")


def test_verdicts_are_corrected_for_the_number_of_evaluations(tmp_path: Path) -> None:
    """7 wins and 0 losses have p = 0.016. Of four evaluations like this, one would be seen by chance."""
    weak = as_scores(tmp_path / "w", [0.0] * 40, [1.0] * 7 + [0.0] * 33)
    none = as_scores(tmp_path / "n", [0.0] * 40, [0.0] * 40)
    found, _ = evaluated(tmp_path, {"weak": weak, "a": none, "b": none, "c": none}, weak={}, a={}, b={}, c={})
    weak_result = found["weak"]
    assert (weak_result["p"], weak_result["p_adjusted"]) == (
        pytest.approx(2**-6, rel=1e-3),
        pytest.approx(2**-4, rel=1e-3),
    )
    assert (weak_result["verdict"], weak_result["verdict_alone"]) == ("no difference seen", "better")
    alone, _ = evaluated(tmp_path / "a", {"weak": weak}, weak={})
    assert (alone["weak"]["verdict"], alone["weak"]["p_adjusted"]) == ("better", alone["weak"]["p"])


def test_no_difference_carries_the_difference_that_would_be_found(tmp_path: Path) -> None:
    found, _ = evaluated(tmp_path, {"exact": as_scores(tmp_path / "s", [0.0] * 100, [0.0] * 100)}, exact={})
    assert found["exact"]["verdict"] == "no difference seen"
    assert 0.05 < found["exact"]["detectable_gain"] < 0.12


def test_slices_show_where_a_model_became_worse(tmp_path: Path) -> None:
    """The mean hides it: of 200 rows, the tuned model wins 90 of `en` and loses 60 of `de`."""
    rows = [{"language": "en" if row < 100 else "de"} for row in range(200)]
    data = as_rows(tmp_path / "d", rows, ["q" * (1 + row) for row in range(200)])
    base, tuned = [0.0] * 100 + [1.0] * 100, [1.0] * 90 + [0.0] * 70 + [1.0] * 40
    scores = as_scores(tmp_path / "s", base, tuned)
    slices = ["language", "length:prompt", "length:reference", "place:file"]
    found, into = evaluated(tmp_path, {"exact": scores, DATA: data}, exact={"slices": slices})
    parts = found["exact"]["slices"]
    assert [part["gain"] for part in parts] == sorted(part["gain"] for part in parts)
    by_name = {part["slice"]: part for part in parts if part["by"] == "language"}
    assert {name: (part["rows"], part["wins"], part["losses"], part["verdict"]) for name, part in by_name.items()} == {
        "en": (100, 90, 0, "better"),
        "de": (100, 0, 60, "worse"),
    }
    lengths = [part["slice"] for part in parts if part["by"] == "length:prompt"]
    assert sorted(lengths, key=lambda name: int(name.split()[0])) == [
        f"{start} to {start + 49} characters" for start in (1, 51, 101, 151)
    ]
    assert parts[0]["confidence"] == pytest.approx(1 - 0.05 / len(parts), abs=1e-6)
    assert all(part["p_adjusted"] >= part["p"] for part in parts)
    samples = list(read_lines(into.output / "samples.jsonl"))
    assert [sample["tuned"]["score"] for sample in samples] == [0.0] * 60 + [1.0] * 90


def test_a_column_with_many_values_has_few_slices(tmp_path: Path) -> None:
    data = as_rows(tmp_path / "d", [{"id": row} for row in range(100)], [f"q{row}" for row in range(100)])
    scores = as_scores(tmp_path / "s", [0.0] * 100, [1.0] * 100)
    found, _ = evaluated(tmp_path, {"exact": scores, DATA: data}, exact={"slices": ["id"]})
    assert len(found["exact"]["slices"]) == 12
    assert {part["verdict"] for part in found["exact"]["slices"] if part["rows"] == 1} == {"no verdict"}
    with pytest.raises(InvalidInput) as refused:
        evaluated(tmp_path / "r", {"exact": scores, DATA: data}, exact={"slices": ["absent"]})
    assert [(one.code, one.at) for one in refused.value.problems] == [("unknown-column", "evals.exact.slices")]
