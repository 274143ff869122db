"""`ftrun rerun`: a run is done again from its own record, and what is another by now is said first."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import RECIPE
from ftrun.api.paths import RunFolder, Store
from ftrun.cli.main import run_command
from ftrun.store import runs
from helpers.ended_runs import call

ROWS = [{"messages": [{"role": "user", "content": f"q{n}"}, {"role": "assistant", "content": "a"}]} for n in range(8)]
MORE = """\
dataset:
  source: {name: jsonl, path: rows.jsonl}
  held_out: null
  split: {held_out: 0.25}
stages: [format]
"""
Again = Callable[..., str]


@pytest.fixture
def first(folder: Path, store: Store, capsys: pytest.CaptureFixture[str]) -> RunFolder:
    """A run that formatted eight rows."""
    write_rows(folder, ROWS)
    (folder / "mine.yaml").write_text(RECIPE + MORE)
    assert run_command(["recipe=mine.yaml", "train.weight_decay=0.5"]) == 0
    capsys.readouterr()
    return store.run(runs.all_runs(store)[-1].id)


def write_rows(folder: Path, rows: list[dict[str, Any]]) -> None:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def again(first: RunFolder, capsys: pytest.CaptureFixture[str]) -> Again:
    def rerun(*arguments: str, expected: int = 0) -> str:
        assert run_command(["rerun", first.id, *arguments]) == expected
        captured = capsys.readouterr()
        return captured.err if expected else captured.out

    return rerun


def last_recipe(store: Store) -> dict[str, Any]:
    folder = store.run(runs.all_runs(store)[-1].id)
    return dict(yaml.safe_load(folder.recipe.read_text()))


def test_an_unchanged_run_is_cached_whole(first: RunFolder, again: Again, store: Store) -> None:
    out = again()
    assert f"rerun of {first.id}" in out
    assert "nothing it depends on has changed since" in out
    record = runs.all_runs(store)[-1]
    assert (record.rerun_of, record.status) == (first.id, "done")
    assert record.overrides == ("recipe=mine.yaml", "train.weight_decay=0.5")
    before = runs.load(first)
    assert record.results["format"]["artifact"] == before.results["format"]["artifact"]
    assert record.origins == before.origins
    assert list((store.root / "artifacts" / "format").iterdir()) == [
        store.root / "artifacts" / record.results["format"]["artifact"]
    ]


def test_overrides_come_on_top_and_are_recorded(again: Again, store: Store) -> None:
    again("train.learning_rate=0.25", "optimizations=[lora,sample_packing]", "optimizations.lora.lora_r=4")
    recipe, record = last_recipe(store), runs.all_runs(store)[-1]
    assert (recipe["train"]["learning_rate"], recipe["train"]["weight_decay"]) == (0.25, 0.5)
    assert list(recipe["optimizations"]) == ["lora", "sample_packing"]
    assert recipe["optimizations"]["lora"]["lora_r"] == 4
    assert record.overrides[-3:] == (
        "train.learning_rate=0.25", "optimizations=[lora,sample_packing]", "optimizations.lora.lora_r=4"
    )  # fmt: skip
    assert record.origins["train.learning_rate"] == "override train.learning_rate=0.25"
    assert record.origins["optimizations.lora.lora_r"] == "override optimizations.lora.lora_r=4"
    assert record.origins["train.num_epochs"] == "mine.yaml:10:3"
    assert "sample_packing.yaml:" in record.origins["optimizations.sample_packing.sample_packing"]


def test_values_of_options_that_stay_chosen_are_the_runs_own(again: Again, store: Store) -> None:
    again("optimizations.lora.lora_r=4")
    assert run_command(["rerun", "last", "optimizations=[lora,zero1]"]) == 0
    assert last_recipe(store)["optimizations"]["lora"]["lora_r"] == 4


def test_a_mapping_sets_what_is_in_it_and_no_more(again: Again, store: Store) -> None:
    again("dataset.split={seed: 3}")
    split = last_recipe(store)["dataset"]["split"]
    assert (split["held_out"], split["seed"]) == (0.25, 3)


def test_weights_of_another_kind_leave_the_former_ones_keys_behind(again: Again, store: Store, folder: Path) -> None:
    again("model.weights.origin=folder", "model.weights.path=weights")
    assert last_recipe(store)["model"]["weights"] == {"origin": "folder", "path": str(folder / "weights")}


def test_another_verb_made_the_recipe(first: RunFolder, again: Again) -> None:
    record = runs.load(first)
    runs.save(first, record.model_copy(update={"overrides": ("rehearse", "recipe=mine.yaml")}))
    assert "nothing it depends on has changed since" in again()


def test_a_key_is_taken_out(again: Again, store: Store) -> None:
    again("~train.weight_decay")
    assert "weight_decay" not in last_recipe(store)["train"]


def test_an_edited_recipe_changes_nothing_and_is_said(folder: Path, again: Again, store: Store) -> None:
    file = folder / "mine.yaml"
    file.write_text(file.read_text().replace("num_epochs: 1", "num_epochs: 3"))
    assert "train.num_epochs 1 -> 3" in again()
    assert last_recipe(store)["train"]["num_epochs"] == 1


def test_a_recipe_that_is_gone_is_not_needed(folder: Path, again: Again) -> None:
    (folder / "mine.yaml").unlink()
    out = again()
    assert "(the recipe file does not exist: mine.yaml)" in out


def test_it_is_looked_for_where_the_run_began(
    folder: Path, tmp_path: Path, again: Again, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "nothing it depends on has changed" in again()


def test_changed_data_is_said_and_formatted_anew(folder: Path, again: Again, store: Store) -> None:
    write_rows(folder, [*ROWS, {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}])
    before = len(runs.all_runs(store))
    out = again("--plan")
    assert f"the content of {folder}/rows.jsonl changed" in out
    assert re.search(r"^  format +to run", out, re.MULTILINE)
    assert len(runs.all_runs(store)) == before
    again()
    assert len(list((store.root / "artifacts" / "format").iterdir())) == 2


def test_data_that_is_gone_is_named(folder: Path, again: Again) -> None:
    (folder / "rows.jsonl").unlink()
    err = again(expected=2)
    assert "1 problem" in err
    assert "[file-not-found]" in err
    assert "`rows.jsonl`" in err


def test_other_data_may_stand_in_for_data_that_is_gone(folder: Path, again: Again) -> None:
    (folder / "rows.jsonl").rename(folder / "others.jsonl")
    assert "format" in again("--plan", "dataset.source.path=others.jsonl")


def test_what_an_override_changes_is_not_said_to_have_changed(again: Again) -> None:
    out = again("--plan", "dataset.split.seed=7")
    assert "nothing it depends on has changed since" in out
    assert "dataset" in out or "split.seed: 0 -> 7" in out


def test_a_plan_for_programs(first: RunFolder, again: Again, folder: Path) -> None:
    write_rows(folder, ROWS[:-1])
    found = json.loads(again("--plan", "--json"))
    assert found["rerun_of"] == first.id
    assert found["since"] == [f"the content of {folder}/rows.jsonl changed"]
    assert [call["call"] for call in found["calls"]] == ["format"]


@pytest.mark.parametrize(
    ("override", "what"),
    [
        ("train.learing_rate=1", "unknown key `learing_rate`"),
        ("dataset.formatter.promt=x", "unknown key `dataset.formatter.promt`"),
        ("optimizations.zero1.deepspeed=x", "`zero1` is not among the chosen optimizations"),
        ("optimizations=[lora,zero9]", "zero9"),
        ("recipe=quickstart", "`recipe=`"),
        ("train.num_epochs=1,2", "a sweep cannot be used with `ftrun rerun`"),
        ("hydra.run.dir=/x", "`ftrun rerun`"),
        ("~train.nothing", "has no `train.nothing`"),
        ("train.x=[1", "cannot read the override"),
    ],
)
def test_a_wrong_override_is_told_with_its_place(override: str, what: str, again: Again, store: Store) -> None:
    before = len(runs.all_runs(store))
    err = again(override, expected=2)
    assert what in err
    assert f"override {override}" in err
    assert len(runs.all_runs(store)) == before


def test_a_run_has_to_be_named(store: Store, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["rerun", "train.num_epochs=1"]) == 2
    assert "no run is named" in capsys.readouterr().err


def test_a_lock_of_before_says_which_packages_changed(first: RunFolder, again: Again, store: Store) -> None:
    """Only the client ran here, so its record is made to name an environment."""
    for digest, version in (("a" * 32, "1.0"), ("b" * 32, "2.0")):
        store.packages(digest).parent.mkdir(parents=True, exist_ok=True)
        store.packages(digest).write_text(f"same==1\ntorch=={version}\n")
    from ftrun.cli.drift import _compare_versions

    then = {"environments": {"trainer": "a" * 32}, "versions": {}}
    now = {"environments": {"trainer": "b" * 32}, "versions": {}, "git": None, "ftrun": "1", "python": "3"}
    assert list(_compare_versions(then, now, store)) == ["the environment `trainer`: torch 1.0 -> 2.0"]


def test_a_changed_parameter_is_said_with_its_stage_whatever_its_name() -> None:
    from ftrun.cli.drift import _describe_changes

    before, now = (call("train", **{"the code of": value}) for value in (1, 2))
    assert list(_describe_changes(before, now)) == ["train: the code of: 1 -> 2"]
