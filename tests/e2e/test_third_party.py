"""Packages in an environment that has only ftrun: of `docs/tutorials/first-plugin.md`, a new one, and the example."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from helpers.fresh_environment import PROJECT, Fresh, make_fresh
from helpers.lessons import read_blocks, write_file
from helpers.workplace import read_json

pytestmark = pytest.mark.e2e

STAGES = ("fetch", "format", "tokenize", "train", "merge", "generate", "loss", "score", "evaluate")

ACME = PROJECT / "examples" / "ftrun-acme"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    return make_fresh(tmp_path_factory.mktemp("fresh"))


def test_the_lesson_can_be_followed(fresh: Fresh, tmp_path: Path) -> None:
    printed, refusals = [], []
    for language, text in read_blocks("first-plugin.md"):
        if language == "bash":
            printed.append(fresh.run("bash", "-e", "-c", text, cwd=tmp_path))
        elif language:
            write_file(text, tmp_path)
        else:
            refusals.append(text)
    assert len(printed) == 5
    assert "formatters      faq" in printed[1]
    assert "passed" in printed[2]
    assert "train 2" in printed[3]
    (refusal,) = refusals
    told = fresh.run(*refusal.splitlines()[0].removeprefix("$ ").split(), cwd=tmp_path, expected=2)
    for line in refusal.splitlines()[1:]:
        assert line in told or line == "…"


@pytest.mark.drill
def test_a_new_package_is_tested_and_can_be_taken_away_again(fresh: Fresh, tmp_path: Path) -> None:
    fresh.run("ftrun", "plugins", "new", "two-words", "somewhere", cwd=tmp_path)
    fresh.install("--editable", str(tmp_path / "somewhere"))
    assert "passed" in fresh.run("python", "-m", "pytest", "-q", "-W", "error", cwd=tmp_path / "somewhere")
    assert "two_words" in fresh.run("ftrun", "plugins")
    fresh.run("python", "-m", "pip", "uninstall", "--quiet", "--yes", "ftrun-two-words")
    assert "two_words" not in fresh.run("ftrun", "plugins")


def test_the_example_passes_its_own_tests(fresh: Fresh) -> None:
    fresh.install(str(ACME))
    assert "passed" in fresh.run("python", "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", str(ACME))
    fresh.run("ftrun", "validate", "recipe=acme_tickets", "optimizations.acme_small_lora.lora_r=8")


def test_the_example_registers_what_its_page_says(fresh: Fresh) -> None:
    fresh.install(str(ACME))
    listed = json.loads(fresh.run("ftrun", "plugins", "--json"))["distributions"]
    (acme,) = [one for one in listed if one["distribution"] == "ftrun-acme 1.0.0"]
    names = {name for found in (*acme.values(), *acme["groups"].values()) for name in found}
    assert not acme["problems"]
    page = (ACME / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"(?:=|=\[)(acme_\w+)", page):
        assert name in names, name


@pytest.mark.slow
def test_the_example_runs_its_recipe(fresh: Fresh, tmp_path: Path, tiny: Path) -> None:
    fresh.install(str(ACME))
    small = ("train.max_steps=3", "generate.engine=transformers", f"stages=[{','.join(STAGES)}]")
    model = ("model.weights.origin=folder", f"model.weights.path={tiny}", "model.base_model=ftrun/tiny")
    fresh.run("ftrun", "recipe=acme_tickets", *model, *small, cwd=tmp_path)
    (run,) = (fresh.folder / "store" / "runs").glob("*-acme_tickets")
    results = read_json(run / "run.json")["results"]
    assert results["train"]["metrics"]
    assert set(results["evaluate"]["metrics"]["evaluation"]) == {"acme_team", "held_out_loss"}
    made = fresh.folder / "store" / "artifacts" / results["format"]["artifact"]
    examples = [json.loads(line) for line in (made / "train.jsonl").read_text().splitlines()]
    assert {example["messages"][1]["content"] for example in examples} == {
        "billing", "delivery", "returns", "technical",
    }  # fmt: skip
