"""Whole runs of a recipe with a tiny model, by the command line and with the real trainer."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from ftrun.api.artifacts import Answers
from helpers.workplace import QUICKSTART_DATA, SCRIPTS, Workplace, in_trainer, tiny_recipe

if TYPE_CHECKING:
    from conftest import Finished

pytestmark = pytest.mark.e2e

CACHED_RUN = 4.0  # seconds, generous: `make bench` measures it
CALLS = [
    "fetch:model", "format", "check:config", "check:model", "tokenize", "train", "merge",
    "generate:base", "generate:tuned", "loss:base", "loss:tuned",
    "score:sql_execution:rows", "score:sql_execution", "score:held_out_loss", "evaluate",
]  # fmt: skip
# A path of a machine: two folders deep at least, and not within a word, an address or a template.
ABSOLUTE_PATH = re.compile(r"(?<![\w./:<}\]])/(?:root|home|tmp|var|usr|work|private|Users|mnt|opt|workspace)/[\w.-]+")


def test_a_whole_run_ends_with_its_results(finished: Finished) -> None:
    assert sorted(finished.workplace.calls("call_finished", finished.run)) == sorted(CALLS)
    evaluation = finished.evaluation()
    assert evaluation["held_out_loss"]["rows"] == 10
    assert evaluation["held_out_loss"]["interval"][0] > 0
    assert evaluation["held_out_loss"]["verdict"] == "no verdict"  # on 10 rows
    assert evaluation["sql_execution"]["rows"] == 10
    table = finished.ended.out
    assert re.search(r"^held_out_loss +10 +\d+\.\d+ +\d+\.\d+ +\+\d+\.\d+ .* no verdict$", table, re.MULTILINE)
    assert str(finished.artifact("merge")) in table
    assert not list(finished.workplace.store.glob("scratch/*/*/"))
    assert finished.workplace.half_artifacts() == []


def test_the_adapter_names_its_base_model_as_the_hub_does(finished: Finished) -> None:
    config = json.loads((finished.artifact("train") / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "ftrun/tiny"


def test_the_training_rows_are_trained(finished: Finished) -> None:
    history = json.loads((finished.artifact("train") / "history.json").read_text())
    assert len(history) == 12
    # 12 steps of 4 rows each: 1.2 times the 40 training rows, and not 4.8 times the 10 held-out rows
    assert history[-1]["epoch"] == pytest.approx(1.2)


def test_artifacts_hold_no_path_of_this_machine(finished: Finished) -> None:
    for label in CALLS:
        for path in finished.artifact(label).rglob("*"):
            if path.suffix in (".json", ".yml", ".yaml", ".jinja", ".txt", ".md"):
                found = ABSOLUTE_PATH.search(path.read_text())
                assert not found, f"{label}: {path.name} has {found}"


def test_the_merged_model_loads_whole(finished: Finished) -> None:
    said = json.loads(in_trainer(SCRIPTS / "load_model.py", [str(finished.artifact("merge"))]).splitlines()[-1])
    assert said == {"missing": [], "unexpected": [], "new_tokens": 2}


def test_answers_are_what_transformers_generates(finished: Finished) -> None:
    rows = finished.artifact("generate:base") / Answers.ROWS
    arguments = [str(finished.artifact("fetch:model")), str(rows), "8"]
    expected = json.loads(in_trainer(SCRIPTS / "generate_answers.py", arguments).splitlines()[-1])
    answers = [json.loads(line) for line in rows.read_text().splitlines()]
    assert len(answers) == 10
    for answer, ids in zip(answers, expected, strict=True):
        assert answer["ids"] == (ids[:-1] if answer["stopped"] else ids)  # without the token that ends the answer
        assert answer["tokens"] == len(answer["ids"])


def test_a_second_run_finds_everything_made(finished: Finished) -> None:
    again = finished.workplace.run("recipe=tiny.yaml")
    assert again.seconds < CACHED_RUN
    assert sorted(finished.workplace.calls("call_cached")) == sorted(CALLS)
    assert finished.workplace.calls("call_started") == []
    assert again.out.splitlines()[:4] == finished.ended.out.splitlines()[:4]


@pytest.mark.drill
def test_another_learning_rate_trains_and_tokenizes_nothing(finished: Finished) -> None:
    finished.workplace.run("recipe=tiny.yaml", "train.learning_rate=0.01")
    cached = {"fetch:model", "format", "tokenize", "generate:base", "loss:base"}
    assert set(finished.workplace.calls("call_cached")) == cached
    assert set(finished.workplace.calls("call_started")) == set(CALLS) - cached


def test_a_gate_that_is_not_met_is_exit_code_3(finished: Finished) -> None:
    ended = finished.workplace.run("recipe=tiny.yaml", "evals.held_out_loss.gate.min_gain_over_base=5", expected=3)
    assert finished.workplace.calls("call_started") == ["evaluate"]
    assert "evals.held_out_loss.gate.min_gain_over_base" in ended.err
    # the verdict is the same where nothing has to be made any more
    finished.workplace.run("recipe=tiny.yaml", "evals.held_out_loss.gate.min_gain_over_base=5", expected=3)
    assert finished.workplace.calls("call_started") == []


def test_a_gate_that_is_met_is_exit_code_0(finished: Finished) -> None:
    finished.workplace.run("recipe=tiny.yaml", "evals.held_out_loss.gate.min_gain_over_base=0.01")


def test_a_bad_row_is_exit_code_2_with_its_place(workplace: Workplace) -> None:
    rows = (workplace.folder / "train.jsonl").read_text().splitlines(keepends=True)
    rows[6] = '{"messages": [{"role": "user", "content": "and then?"}]}\n'
    (workplace.folder / "train.jsonl").write_text("".join(rows))
    ended = workplace.run("recipe=tiny.yaml", expected=2)
    assert "train.jsonl:7" in ended.err
    assert "train" not in workplace.calls("call_started")


def test_a_row_whose_answer_is_cut_away_is_exit_code_2_with_its_place(workplace: Workplace) -> None:
    rows = (workplace.folder / "train.jsonl").read_text().splitlines(keepends=True)
    row = json.loads(rows[11])
    row["messages"][0]["content"] *= 20
    rows[11] = json.dumps(row) + "\n"
    (workplace.folder / "train.jsonl").write_text("".join(rows))
    ended = workplace.run("recipe=tiny.yaml", "train.excess_length_strategy=truncate", expected=2)
    assert "train.jsonl:12" in ended.err
    assert "sequence_len" in ended.err
    assert "train" not in workplace.calls("call_started")


def test_a_training_without_an_optimizer_step_is_exit_code_1(workplace: Workplace) -> None:
    """Two rows fill one pack, which is less than a batch of four and is dropped."""
    ended = workplace.run(
        "recipe=tiny.yaml",
        "optimizations=[lora,sample_packing]",
        "dataset.limit=2",
        "train.max_steps=null",
        "train.micro_batch_size=4",
        "stages=[fetch,format,tokenize,train]",
        expected=1,
    )
    assert "[not-trained]" in ended.err
    assert workplace.calls("call_failed") == ["train"]


@pytest.mark.parametrize(
    "with_begin",
    [
        pytest.param(False, id="plain", marks=pytest.mark.slow),
        pytest.param(True, id="added tokens and begin token"),
    ],
)
def test_a_template_becomes_the_tokens_that_axolotl_makes_of_it(
    workplace: Workplace, tiny: Path, with_begin: bool
) -> None:
    model = _model_with_begin_token(tiny, workplace.folder / "model") if with_begin else tiny
    tokens = ["[INST]", " [/INST]", "[SQL]", " [/SQL]"] if with_begin else []
    _write_question_rows(workplace.folder / "train.jsonl", 40)
    instruction = "[INST] Using the schema context below, generate a SQL query that answers the question.\n"
    _template_recipe(workplace.folder, model, instruction, tokens)
    workplace.run("recipe=tiny.yaml", "stages=[fetch,format,tokenize]")
    config = {
        "output_dir": str(workplace.folder / "out"),  # the default is a folder where the tests are run
        "base_model": str(model),
        "datasets": [
            {
                "path": "train.jsonl",
                "ds_type": "json",
                "type": {
                    "field_instruction": "question",
                    "field_input": "context",
                    "field_output": "answer",
                    "format": instruction + "{input}\n{instruction} [/INST]",
                },
            }
        ],
        "tokens": tokens or None,
        "sequence_len": 512,
        "micro_batch_size": 1,
        "gradient_accumulation_steps": 1,
        "num_epochs": 1,
        "learning_rate": 1e-4,
        "train_on_inputs": False,
        "bf16": False,
    }
    path = workplace.folder / "axolotl.yml"
    path.write_text(yaml.safe_dump({key: value for key, value in config.items() if value is not None}))
    arguments = [str(path), str(workplace.folder / "train.jsonl"), str(workplace.artifact("tokenize") / "train")]
    said = json.loads(in_trainer(SCRIPTS / "compare_template.py", arguments).splitlines()[-1])
    assert said["rows"] == 40
    assert said["added"] == sorted(tokens)
    assert (said["starts"] == ["<|endoftext|>"]) is with_begin


def _write_question_rows(path: Path, count: int) -> None:
    """The quickstart's rows in the columns of modal-labs/llm-finetuning's SQL data."""
    with path.open("w") as file:
        for line in (QUICKSTART_DATA / "train.jsonl").read_text().splitlines()[:count]:
            user, assistant = json.loads(line)["messages"]
            context, _, question = user["content"].rpartition("\n")
            answer = f"[SQL] {assistant['content']} [/SQL]"
            file.write(json.dumps({"question": question, "context": context, "answer": answer}) + "\n")


def _template_recipe(folder: Path, model: Path, instruction: str, tokens: list[str]) -> None:
    rows = (folder / "train.jsonl").read_text()
    tiny_recipe(
        folder,
        model,
        defaults=[{"override /optimizations": ["lora"]}],
        model={"trainer": {"tokens": tokens} if tokens else {}},
        dataset={
            "held_out": None,
            "formatter": {
                "name": "template",
                "prompt": instruction + "{context}\n{question} [/INST]",
                "answer": "{answer}",
            },
        },
        train={"sequence_len": 512},
    )
    (folder / "train.jsonl").write_text(rows)


def _model_with_begin_token(model: Path, target: Path) -> Path:
    """A copy of a model whose tokenizer puts a token before every text, as CodeLlama's does."""
    shutil.copytree(model, target)
    path = target / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    begin = {"id": "<|endoftext|>", "type_id": 0}
    tokenizer["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": begin}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {begin["id"]: {"id": begin["id"], "ids": [0], "tokens": [begin["id"]]}},
    }
    path.write_text(json.dumps(tokenizer))
    settings = target / "tokenizer_config.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "bos_token": begin["id"]}))
    return target
