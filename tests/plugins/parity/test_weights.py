"""Which tokens the weights are compared by, without a model."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftrun_plugins.parity import prompts, weights
from ftrun_plugins.parity.params import Params
from ftrun_plugins.parity.window import Window, window, windows
from helpers.score_stage import context, write

PARAMS = Params(what="weights", trust_remote_code=False)


def row(prompt: int, answer: int, rest: int = 0) -> dict[str, list[int]]:
    """Token ids that count up, of which those of the answer are trained."""
    ids = list(range(100, 100 + prompt + answer + rest))
    labels = [-100] * prompt + ids[prompt : prompt + answer] + [-100] * rest
    return {"ids": ids, "labels": labels}


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans())), st.integers(2, 12))
def test_a_window_ends_with_the_last_trained_token(tokens: list[tuple[int, bool]], most: int) -> None:
    ids = [number for number, _ in tokens]
    labels = [number if is_trained else -100 for number, is_trained in tokens]
    found = window(ids, labels, most)
    trained = [place for place, label in enumerate(labels) if place and label >= 0]
    if not trained:
        assert found is None
        return
    assert found is not None
    end = trained[-1] + 1
    assert found.ids == (ids[:end] if end <= most else [ids[0], *ids[end - most + 1 : end]])
    assert found.places[-1] == len(found.ids) - 1
    assert 0 not in found.places
    assert found.compared == [labels[place] for place in trained][-len(found.places) :]
    assert end > most or len(found.places) == len(trained)


@pytest.mark.parametrize("prompt", [511, 512, 513, 5000])
def test_the_answer_to_a_long_prompt_is_compared(prompt: int) -> None:
    (found,) = windows([row(prompt, 3)], 8, 512)
    assert found.compared == [100 + prompt, 101 + prompt, 102 + prompt]
    assert len(found.ids) == 512
    assert found.ids[0] == 100


def test_what_follows_the_answer_is_no_part_of_it() -> None:
    (found,) = windows([row(600, 2, rest=700)], 8, 512)
    assert found.compared == [700, 701]


def test_rows_without_a_trained_token_make_room_for_others() -> None:
    rows = [row(5, 0), row(0, 1, rest=4), *[row(3, 2)] * 9]
    assert windows(rows, 8, 512) == [Window([100, 101, 102, 103, 104], [3, 4])] * 8


def compared(
    folder: Path, monkeypatch: pytest.MonkeyPatch, rows: Sequence[dict[str, Any]]
) -> tuple[dict[str, Any], list[str], list[Window]]:
    """What the stage says of a sample of rows, and what the models are asked."""
    asked: list[Window] = []

    def log_probabilities(inputs: Any, chosen: Sequence[Window], *_: Any) -> list[float]:
        asked.extend(chosen)
        return [-1.0 if "adapter" in inputs else -1.01 for one in chosen for _ in one.places]

    monkeypatch.setattr(weights, "_compute_log_probabilities", log_probabilities)
    write(folder / "tokenized" / "sample.jsonl", *rows)
    inputs = dict.fromkeys(("model", "adapter", "merged"), folder) | {"tokenized": folder / "tokenized"}
    found, problems = weights.compare_weights(PARAMS, context(folder / "parity", inputs))
    return found, [problem.what for problem in problems], asked


def test_long_prompts_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, problems, asked = compared(tmp_path, monkeypatch, [row(600, 4)] * 10)
    assert (found["rows"], found["tokens"], found["mean_apart"], problems) == (8, 32, 0.01, [])
    assert len(asked) == 16


def test_prepared_rows_are_compared_where_all_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = row(600, 4)
    stored = [{"input_ids": one["ids"], "labels": one["labels"]}]
    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_from_disk=lambda path: stored))
    (tmp_path / "tokenized" / "train").mkdir(parents=True)
    found, problems, _ = compared(tmp_path, monkeypatch, [])
    assert (found["rows"], found["tokens"], problems) == (1, 4, [])


def test_nothing_to_compare_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_from_disk=None))
    found, (problem,), asked = compared(tmp_path, monkeypatch, [row(600, 0)])
    assert found == {"rows": 0, "tokens": 0}
    assert problem.startswith("the merged weights cannot be compared")
    assert asked == []


def test_prompts_of_which_all_are_cut_are_not_called_equal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts, "_list_served_folders", lambda inputs: {})
    write(tmp_path / "tokenized" / "sample.jsonl")
    (tmp_path / "report.json").write_text('{"kind": "chat"}')
    into = context(tmp_path / "parity", {"data": tmp_path, "tokenized": tmp_path / "tokenized"})
    found, problems = prompts.compare_prompts(PARAMS, into)
    assert problems == []
    assert (found["rows"], found["engine"], found["why"]) == (0, "none", prompts.NO_ROWS)
    assert prompts.NO_ROWS in (tmp_path / "parity" / "events.jsonl").read_text()
