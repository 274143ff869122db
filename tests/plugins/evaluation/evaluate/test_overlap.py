"""The result of an evaluation is also given without the held-out rows that training rows repeat."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ftrun.report.evaluation_details import evaluation_details
from ftrun_plugins.evaluation.evaluate.stage import DATA, Evaluate
from helpers.score_stage import call, context, write

ROWS = 40


def evaluated(folder: Path, kinds: dict[int, str], **evaluation: Any) -> dict[str, Any]:
    """The result where the tuned model knows only the first half of the rows."""
    scores = [
        {"index": n, "place": f"h:{n}", "reference": "a", "base": {"score": 0.0}, "tuned": {"score": float(n < 20)}}
        for n in range(ROWS)
    ]
    write(folder / "s" / "scores.jsonl", *scores)
    (folder / "s" / "score.json").write_text(json.dumps({"evaluator": "exact_match", "higher_is_better": True}))
    data = folder / "data"
    write(data / "held_out.rows.jsonl", *({"n": n} for n in range(ROWS)))
    write(data / "held_out.jsonl", *({"place": f"h:{n}", "text": f"text {n}"} for n in range(ROWS)))
    (data / "report.json").write_text(json.dumps({"kind": "text"}))
    overlaps = [{"index": n, "place": f"h:{n}", "kind": kind, "train": "t:1", "rows": 1} for n, kind in kinds.items()]
    write(data / "overlap.jsonl", *overlaps)
    into = context(folder, {"exact": folder / "s", DATA: data})
    Evaluate().run(call(Evaluate, {"evals": {"exact": {"held_out": True, **evaluation}}, "group_columns": ()}), into)
    result: dict[str, Any] = json.loads((into.output / "evaluation.json").read_text())["exact"]
    return result


def test_a_gain_on_repeated_rows_alone_is_visible(tmp_path: Path) -> None:
    result = evaluated(tmp_path, dict.fromkeys(range(20), "near"))

    assert (result["rows"], result["tuned"], result["verdict"]) == (40, 0.5, "better")
    without = result["without_overlap"]
    assert (without["overlap"], without["rows"], without["tuned"], without["gain"]) == (20, 20, 0.0, 0.0)
    assert without["verdict"] != "better"
    assert any("without 20 rows" in text for text in evaluation_details(result))


def test_passages_and_rows_of_their_own_change_nothing(tmp_path: Path) -> None:
    assert "without_overlap" not in evaluated(tmp_path / "a", {})
    assert "without_overlap" not in evaluated(tmp_path / "b", {0: "passage"})


def test_a_run_in_which_all_rows_are_repeated(tmp_path: Path) -> None:
    without = evaluated(tmp_path, dict.fromkeys(range(ROWS), "equal"))["without_overlap"]

    assert without == {"overlap": ROWS, "rows": 0}


def test_scores_of_other_rows_have_no_overlap(tmp_path: Path) -> None:
    """Tasks of lm_eval have rows of their own, with the same indexes."""
    assert "without_overlap" not in evaluated(tmp_path, {0: "equal"}, held_out=False)
