"""Tasks of lm-evaluation-harness over local rows, asked through ftrun and by the harness's own command line."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from helpers.judge_server import judge_server
from helpers.workplace import PROJECT, SCRIPTS, Workplace, environment_python

if TYPE_CHECKING:
    from conftest import Finished

pytestmark = pytest.mark.e2e

ROWS = 24
WORDS = ("alpha", "bravo", "delta", "gamma", "omega")
CHOOSE = """\
task: choose
dataset_path: json
dataset_kwargs: {data_files: {test: data/rows.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "Which word follows {{word}}?"
doc_to_choice: choices
doc_to_target: answer
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
  - {metric: acc_norm, aggregation: mean, higher_is_better: true}
"""
SAY = """\
task: say
dataset_path: json
dataset_kwargs: {data_files: {test: data/rows.jsonl}}
test_split: test
output_type: generate_until
doc_to_text: "Show the {{word}} table."
doc_to_target: "SELECT"
generation_kwargs: {until: ["\\n"], max_gen_toks: 8}
filter_list:
  - name: verb
    filter: [{function: regex, regex_pattern: "(SELECT)"}, {function: take_first}]
metric_list:
  - {metric: exact_match, aggregation: mean, higher_is_better: true}
"""
ENDLESS = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
CATASTROPHIC = "(a+)+b"
STAGES = ["fetch", "format", "tokenize", "train", "merge", "generate", "lm_eval", "score", "evaluate"]


def write_recipe(folder: Path, name: str, stages: list[str], evals: dict[str, Any]) -> None:
    recipe = yaml.safe_load((folder / "tiny.yaml").read_text())
    recipe["defaults"] = [{"override /optimizations": ["lora"]}]
    (folder / name).write_text(yaml.safe_dump({**recipe, "stages": stages, "evals": evals}, sort_keys=False))


@pytest.fixture(scope="module")
def workplace(finished: Finished) -> Workplace:
    """Where the tiny recipe has run, with task files and their rows."""
    folder = finished.workplace.folder
    (folder / "data").mkdir()
    with (folder / "data" / "rows.jsonl").open("w") as file:
        for row in range(ROWS):
            choices = [WORDS[(row + step) % 5] for step in (1, 2, 3)]
            values = {"word": WORDS[row % 5] + str(row), "choices": choices, "answer": row % 3}
            file.write(json.dumps(values) + "\n")
    (folder / "choose.yaml").write_text(CHOOSE)
    (folder / "say.yaml").write_text(SAY)
    tasks = {name: {"evaluator": "lm_eval", "task_file": f"{name}.yaml"} for name in ("choose", "say")}
    others = {"words": {"evaluator": "rouge"}, "ends": {"evaluator": "length_and_stop", "max_tokens": 6}}
    others["judged"] = {"evaluator": "judge", "model": "wise", "rubric": "Be good.", "base_url": "http://127.0.0.1:9"}
    write_recipe(folder, "quick.yaml", STAGES, {"choose": tasks["choose"], **others})
    write_recipe(folder, "tasks.yaml", STAGES, tasks)
    unmerged = [stage for stage in STAGES if stage not in ("merge", "generate")]
    write_recipe(folder, "unmerged.yaml", unmerged, {"choose": tasks["choose"]})
    return finished.workplace


def scores(workplace: Workplace, name: str, role: str) -> list[float]:
    rows = [
        json.loads(line) for line in (workplace.artifact(f"score:{name}") / "scores.jsonl").read_text().splitlines()
    ]
    assert [row["place"] for row in rows] == [f"{name}:{row}" for row in range(ROWS)]
    return [row[role]["score"] for row in rows]


def by_the_harness(workplace: Workplace, model: Path, out: Path) -> dict[str, list[dict[str, Any]]]:
    """The harness's own samples, by its own command line and by transformers."""
    asked = [
        "--model",
        "hf",
        "--model_args",
        f"pretrained={model},dtype=float32",
        "--device",
        "cpu",
        "--batch_size",
        "24",
    ]
    asked += ["--tasks", "choose.yaml,say.yaml", "--apply_chat_template", "--log_samples", "--output_path", str(out)]
    command = [environment_python("server_cpu"), "-m", "lm_eval", "run", *asked]
    quiet = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(out / "cache")}
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=240, env=quiet, cwd=workplace.folder, check=False
    )
    assert result.returncode == 0, result.stderr[-3000:]
    found = {}
    for name in ("choose", "say"):
        (path,) = out.glob(f"**/samples_{name}_*.jsonl")
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        found[name] = sorted(lines, key=lambda line: line["doc_id"])
    return found


def test_a_task_and_answers_are_scored_and_judged(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_API_KEY", "s3cret-of-the-judge")
    with judge_server(key="s3cret-of-the-judge") as server:
        workplace.run("recipe=quick.yaml", f"evals.judged.base_url={server.url}")
        assert len(server.requests) == 2 * 10
    found = workplace.evaluation()
    evaluators = {name: evaluation["evaluator"] for name, evaluation in found.items()}
    assert evaluators == {
        "choose": "lm_eval", "words": "rouge", "ends": "length_and_stop", "judged": "judge",
    }  # fmt: skip
    chosen = found["choose"]
    assert (chosen["metric"], chosen["higher_is_better"], chosen["rows"]) == ("acc", True, ROWS)
    files = [path for path in workplace.store.rglob("*") if path.is_file()]
    assert [path for path in files if b"s3cret-of-the-judge" in path.read_bytes()] == []
    assert 0 < sum(scores(workplace, "choose", "tuned")) < ROWS


@pytest.mark.slow
def test_tasks_are_scored_as_the_harness_scores_them(workplace: Workplace, tmp_path: Path) -> None:
    workplace.run("recipe=tasks.yaml")
    found = workplace.evaluation()
    theirs = by_the_harness(workplace, workplace.artifact("merge"), tmp_path)
    ours = scores(workplace, "choose", "tuned")
    assert ours == [line["acc"] for line in theirs["choose"]]
    assert 0 < sum(ours) < ROWS
    ours = scores(workplace, "say", "tuned")
    assert ours == [line["exact_match"] for line in theirs["say"]]
    assert found["say"]["tuned"] > found["say"]["base"]


@pytest.mark.slow
def test_an_adapter_is_asked_over_its_base_model(workplace: Workplace) -> None:
    merged = scores(workplace, "choose", "tuned")
    workplace.run("recipe=unmerged.yaml")
    assert "lm_eval:choose:base" in workplace.calls("call_cached")
    apart = sum(one != other for one, other in zip(merged, scores(workplace, "choose", "tuned"), strict=True))
    assert apart <= 2  # merging rounds weights


def variant(folder: Path, name: str, text: str, *changes: tuple[str, str]) -> list[Any]:
    """A task file that differs from another, for `load_tasks.py`; one that is trusted has `trusted` in its name."""
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / f"{name}.yaml").write_text(text)
    return [str(folder / f"{name}.yaml"), "trusted" in name]


@pytest.mark.slow
def test_tasks_are_loaded_and_none_of_their_files_runs_code(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.jsonl").write_text('{"word": "a", "choices": ["b", "c"], "answer": 0}\n')
    (tmp_path / "data" / "broken.jsonl").write_text('{"word": ')
    (tmp_path / "helpers.py").write_text("def clean(rows):\n    return rows.map(lambda row: {'word': 'cleaned'})\n")
    escape = "{{word.__class__.__mro__[1].__subclasses__()}}"
    wanted = [
        variant(tmp_path, "plain", CHOOSE),
        variant(tmp_path, "trusted", CHOOSE + "process_docs: !function helpers.clean\n"),
        variant(tmp_path, "escapes", CHOOSE, ("{{word}}", escape)),
        variant(tmp_path, "no_column", CHOOSE, ("{{word}}", "{{wrod}}")),
        variant(tmp_path, "broken", CHOOSE, ("rows.jsonl", "broken.jsonl")),
        variant(
            tmp_path, "of_the_hub", CHOOSE, ("metric: acc,", "metric: wer,"), ("metric: acc_norm,", "metric: acc,")
        ),
        ["gsm8kk", False],
        ["gsm8k", False],
        variant(tmp_path, "endless", CHOOSE, ("Which word", ENDLESS)),
        variant(tmp_path, "huge", CHOOSE, ("Which word", "{% set a = 'a' * 10 ** 10 %}")),
        variant(
            tmp_path, "regex", CHOOSE, ("Which word", f"{{{{ ('a' * 60) | regex_replace('{CATASTROPHIC}', '') }}}}")
        ),
        variant(tmp_path, "filter", SAY, ("(SELECT)", CATASTROPHIC)),
        variant(tmp_path, "metric", SAY, ("exact_match,", f"exact_match, regexes_to_ignore: ['{CATASTROPHIC}'],")),
    ]
    command = [environment_python("server_cpu"), "-I", str(SCRIPTS / "load_tasks.py"), str(PROJECT)]
    offline = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_CACHE": str(tmp_path / "cache"),
        "PYTHONWARNINGS": "ignore",
    }
    result = subprocess.run(
        [*command, str(tmp_path), json.dumps(wanted)],
        capture_output=True, text=True, timeout=180, env=offline, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-3000:]
    plain, trusted, *refused = json.loads(result.stdout.splitlines()[-1])
    assert (plain, trusted) == ("Which word follows a?", "Which word follows cleaned?")
    told = (
        "access to attribute '__class__' of 'str' object is unsafe",
        "'wrod' is undefined",
        "the data of the task `choose`",
        "the metric `wer`",
        "no task named `gsm8kk`",
        "the data of the task `gsm8k`",
        "a template of the task does not end",
        "a template of the task takes more than 2 GB",
        "a template of the task does not end",
        "the filter `verb` of the task does not end",
        "a metric of the task does not end",
    )
    for expected, problem in zip(told, refused, strict=True):
        assert expected in problem["what"]
    assert refused[4]["nearest"][0] == "gsm8k"
