"""What is served is what was trained: seen on a sound run, and on one fault after another planted into it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from helpers.workplace import PROJECT, SCRIPTS, Workplace, in_environment, read_json, tiny_recipe

if TYPE_CHECKING:
    from conftest import Finished

pytestmark = pytest.mark.e2e

WHOLE = "stages=[fetch,format,tokenize,train,merge,parity,generate,loss,score,evaluate]"
TO_PARITY = "stages=[fetch,format,tokenize,train,merge,parity]"


def answers(folder: Path) -> list[list[int]]:
    return [json.loads(line)["ids"] for line in (folder / "predictions.jsonl").read_text().splitlines()]


def test_a_sound_run_is_proved_and_answers_with_vllm_as_with_transformers(finished: Finished) -> None:
    finished.workplace.run("recipe=tiny.yaml", "generate.engine=vllm", WHOLE)
    run = finished.workplace.runs()[-1]
    results = read_json(run / "run.json")["results"]
    prompts, weights = results["parity:prompts"]["metrics"], results["parity:weights"]["metrics"]
    assert (prompts["rows"], prompts["engine"]) == (50, "vllm")
    assert weights["mean_apart"] < 0.02
    assert weights["tokens"] > 50
    for role in ("base", "tuned"):
        ours, theirs = (answers(finished.workplace.artifact(f"generate:{role}", one)) for one in (run, finished.run))
        assert len(ours) == 10
        # one arithmetic, two engines: a near tie may fall otherwise
        assert sum(one == other for one, other in zip(ours, theirs, strict=True)) >= 8
    finished.workplace.run("recipe=tiny.yaml", "generate.engine=vllm", WHOLE)
    assert "parity:prompts" in finished.workplace.calls("call_cached")


def compare(
    finished: Finished, work: Path, merged: Path, what: str = "prompts", tokenized: Path | None = None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what the stage compares and the problems that it finds if `merged` is the merged model."""
    names = {"data": "format", "tokenized": "tokenize", "model": "fetch:model", "train": "train", "adapter": "train"}
    inputs = {role: str(finished.artifact(label)) for role, label in names.items()}
    inputs |= {"tokenized": str(tokenized)} if tokenized else {}
    asked = {"what": what, "engine": False, "inputs": {**inputs, "merged": str(merged)}}
    name = "server_cpu" if what == "prompts" else "trainer"
    printed = in_environment(name, SCRIPTS / "compare_outputs.py", [str(PROJECT), str(work), json.dumps(asked)])
    answer = json.loads(printed.splitlines()[-1])
    return answer["found"], answer["problems"]


def rewrite(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def another_template(folder: Path) -> None:
    path = folder / "chat_template.jinja"
    path.write_text(path.read_text().replace("<|im_start|>", "<|im_start|> "))


def begin_twice(folder: Path) -> None:
    path = folder / "chat_template.jinja"
    path.write_text("{{ bos_token }}" + path.read_text())


def no_stop(folder: Path) -> None:
    rewrite(folder / "generation_config.json", lambda config: config.update(eos_token_id=0))


def an_extra_token(folder: Path) -> None:
    def add(tokenizer: dict[str, Any]) -> None:
        last = max(token["id"] for token in tokenizer["added_tokens"])
        last = max(last, *tokenizer["model"]["vocab"].values())
        flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
        tokenizer["added_tokens"].append({"id": last + 1, "content": "singer", **flags})

    rewrite(folder / "tokenizer.json", add)


FAULTS: Mapping[str, tuple[Callable[[Path], None], str]] = {
    "template changed after training": (another_template, "tokenizes the prompt differently"),
    "begin token twice": (begin_twice, "two begin tokens"),
    "no stop token": (no_stop, "does not stop at"),
    "an extra token": (an_extra_token, "the tokenizer of the merged model"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, finished: Finished, tmp_path: Path) -> None:
    plant, told = FAULTS[fault]
    merged = tmp_path / "merged"
    shutil.copytree(finished.artifact("merge"), merged)
    plant(merged)
    _, problems = compare(finished, tmp_path / "work", merged)
    assert any(told in problem["what"] for problem in problems), problems
    assert all("the merged model" in problem["what"] or problem["what"].startswith("and ") for problem in problems)
    assert len(problems) <= 12


def test_weights_that_were_not_merged_are_found(finished: Finished, tmp_path: Path) -> None:
    _, (problem,) = compare(finished, tmp_path / "work", finished.artifact("fetch:model"), "weights")
    assert "the merged model differs from the tuned model" in problem["what"]


def lengthened(row: dict[str, Any]) -> dict[str, Any]:
    """The row behind 600 tokens more of a prompt."""
    filler = (row["ids"] * 600)[:600]
    return {**row, "ids": [*filler, *row["ids"]], "labels": [-100] * 600 + row["labels"]}


@pytest.mark.parametrize("rows", ["long", "none"])
def test_the_ends_of_long_rows_and_prepared_rows_are_compared(rows: str, finished: Finished, tmp_path: Path) -> None:
    """A sample without rows is what `tokenize` makes if it cuts every row."""
    tokenized = tmp_path / "tokenized"
    shutil.copytree(finished.artifact("tokenize"), tokenized)
    sample = [json.loads(line) for line in (tokenized / "sample.jsonl").read_text().splitlines()]
    kept = [lengthened(row) for row in sample] if rows == "long" else []
    (tokenized / "sample.jsonl").write_text("".join(json.dumps(row) + "\n" for row in kept))
    found, problems = compare(finished, tmp_path / "work", finished.artifact("merge"), "weights", tokenized)
    assert problems == []
    assert found["rows"] == 8
    assert found["tokens"] > 50
    assert found["mean_apart"] < 0.02
    _, (problem,) = compare(finished, tmp_path / "more", finished.artifact("fetch:model"), "weights", tokenized)
    assert "the merged model differs from the tuned model" in problem["what"]


@pytest.mark.slow
def test_a_fault_stops_the_run_before_it_is_asked_anything(workplace: Workplace, tiny: Path) -> None:
    model = workplace.folder / "model"
    shutil.copytree(tiny, model)
    no_stop(model)
    rewrite(model / "config.json", lambda config: config.update(eos_token_id=0))
    tiny_recipe(workplace.folder, model)
    ended = workplace.run("recipe=tiny.yaml", TO_PARITY, expected=2)
    assert "does not stop at" in ended.err
    assert re.search(r"(train|held_out)\.jsonl:\d+", ended.err)
