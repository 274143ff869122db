"""The importer of OpenAI's fine-tuning jobs, and the table of `docs/how-to/move-from-openai.md`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ftrun_plugins.importing.commands import import_file
from ftrun_plugins.importing.draft import RecipeDraft

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "move-from-openai.md"
HYPERPARAMETERS = {"n_epochs": 4, "batch_size": 16, "learning_rate_multiplier": 2}
JOB: dict[str, Any] = {
    "object": "fine_tuning.job",
    "id": "ftjob-1",
    "created_at": 1700000000,
    "finished_at": 1700009000,
    "model": "gpt-4o-mini-2024-07-18",
    "fine_tuned_model": "ft:gpt-4o-mini:me::1",
    "organization_id": "org-1",
    "result_files": ["file-3"],
    "status": "succeeded",
    "training_file": "file-1",
    "validation_file": "file-2",
    "hyperparameters": HYPERPARAMETERS,
    "trained_tokens": 5768,
    "integrations": [{"type": "wandb", "wandb": {"project": "bikes", "name": "one", "tags": ["a"]}}],
    "seed": 7,
    "estimated_finish": 0,
    "method": {"type": "supervised", "supervised": {"hyperparameters": HYPERPARAMETERS}, "dpo": None},
    "metadata": None,
    "error": {},
    "suffix": "bikes",
}


def imported(folder: Path, values: dict[str, Any]) -> tuple[RecipeDraft, list[str]]:
    file = folder / "job.json"
    file.write_text(json.dumps(values, indent=2))
    draft, _, problems = import_file(file, folder / "recipe.yaml")
    return draft, [problem.code for problem in problems]


def outcomes(draft: RecipeDraft) -> dict[str, str]:
    return {entry.key: entry.outcome for entry in draft.entries}


def test_a_job_becomes_a_recipe_that_is_valid(tmp_path: Path) -> None:
    draft, problems = imported(tmp_path, JOB)
    assert problems == []
    train, dataset = draft.values["train"], draft.values["dataset"]
    assert dataset == {
        "source": {"name": "jsonl", "path": "file-1.jsonl"},
        "held_out": {"name": "jsonl", "path": "file-2.jsonl"},
        "formatter": {"name": "chat"},
    }
    assert (train["num_epochs"], train["seed"], train["wandb_project"]) == (4, 7, "bikes")
    assert train["micro_batch_size"] * train["gradient_accumulation_steps"] == 16
    assert train["learning_rate"] == pytest.approx(2e-4)


def test_every_key_has_an_outcome(tmp_path: Path) -> None:
    found = outcomes(imported(tmp_path, JOB)[0])
    assert {key.split(".")[0].split("[")[0] for key in found} == JOB.keys()
    assert found["model"] == found["training_file"] == "check"
    assert found["suffix"] == found["fine_tuned_model"] == found["metadata"] == "left-out"


def test_a_file_that_is_here_needs_no_look(tmp_path: Path) -> None:
    (tmp_path / "file-1.jsonl").write_text("{}\n")
    assert outcomes(imported(tmp_path, JOB)[0])["training_file"] == "exact"


def test_auto_is_a_usual_value_to_check(tmp_path: Path) -> None:
    values = {"model": "gpt-4.1-nano-2025-04-14", "training_file": "file-1", "hyperparameters": {"n_epochs": "auto"}}
    draft, problems = imported(tmp_path, values)
    assert problems == []
    found = outcomes(draft)
    assert found["hyperparameters.n_epochs"] == found["hyperparameters.batch_size"] == "check"


def test_values_of_the_method_count(tmp_path: Path) -> None:
    method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}}
    draft, _ = imported(tmp_path, {**JOB, "method": method})
    assert draft.values["train"]["num_epochs"] == 2
    assert outcomes(draft)["hyperparameters.n_epochs"] == "check"


@pytest.mark.parametrize("kind", ["dpo", "reinforcement", "unheard-of"])
def test_other_methods_are_refused(kind: str, tmp_path: Path) -> None:
    draft, problems = imported(tmp_path, {**JOB, "method": {"type": kind, kind: {"hyperparameters": {"beta": 0.1}}}})
    assert problems == ["no-import"]
    assert [entry.key for entry in draft.of("refused")] == ["method.type"]


def table(heading: str) -> list[tuple[str, str]]:
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `(.+?)` \| `(.+?)` \|", section, re.MULTILINE)


@pytest.mark.parametrize(("theirs", "ours"), table("Keys of a job"))
def test_a_key_has_its_place_in_the_recipe(theirs: str, ours: str, tmp_path: Path) -> None:
    values = {"model": "gpt-4o-mini-2024-07-18", "training_file": "file-1", **json.loads(f"{{{theirs}}}")}
    draft, problems = imported(tmp_path, values)
    assert problems == []
    ((path, expected),) = yaml.safe_load(ours).items()
    value: Any = draft.values
    if path in ("model", "optimizations"):
        (value,) = (c[f"override /{path}"] for c in value["defaults"] if f"override /{path}" in c)
    else:
        for name in path.split("."):
            value = value[name]
    assert value == expected


def test_the_table_is_read() -> None:
    assert len(table("Keys of a job")) >= 8
