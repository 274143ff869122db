"""`ftrun diff`: only what differs, section by section, with where each value of the recipes came from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ftrun.api.paths import RunFolder, Store
from ftrun.api.stage_call import Component, Plan, StageCall
from ftrun.cli.main import run_command
from ftrun.execution.engine import prepare
from ftrun.recipe.load import Loaded
from ftrun.store import runs
from ftrun_plugins.compare.table import MOST_DIFFERENCES, diff_lines
from helpers.ended_runs import call, ended_run, result, with_train

Making = Callable[..., RunFolder]
GIT = {"commit": "a" * 40, "changed": False}
FACTS = {
    "ftrun": "0.1.0",
    "python": "3.12.1",
    "versions": {"hydra-core": "1.3.8"},
    "git": {"commit": "a" * 40, "changed": False},
}
SECTIONS = ["recipe", "data", "code", "versions", "hardware", "results"]


@pytest.fixture
def making(loading: Callable[..., Loaded], store: Store) -> Making:
    """A run of one formatter over one file, with facts and metrics of its own."""

    def make(
        *overrides: str,
        data: str = "d" * 64,
        code: str = "c" * 64,
        facts: dict[str, Any] | None = None,
        rows: int = 10,
        train: Mapping[str, Any] | None = None,
        **record: Any,
    ) -> RunFolder:
        loaded = loading(*overrides)
        rows_call = call("format").model_copy(
            update={
                "files": {data: "/somewhere/rows.jsonl"},
                "components": {"formatter:chat": Component(implementation="a:B", source=code)},
            }
        )
        calls: list[StageCall] = [rows_call, call("train"), call("evaluate")]
        metrics = {
            "format": {"train": rows},
            "evaluate": {"evaluation": {"exact_match": result(0.1, 0.5, (0.3, 0.5), "better")}},
        }
        folder = ended_run(store, with_train(loaded.recipe, **(train or {})), calls, None, metrics, record=record)
        known = runs.load(folder)
        known.facts, known.origins = {**FACTS, **(facts or {})}, loaded.origins()
        runs.save(folder, known)
        return folder

    return make


def differing(capsys: pytest.CaptureFixture[str], first: RunFolder, other: RunFolder) -> dict[str, Any]:
    assert run_command(["diff", first.id, other.id, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found.pop("runs") == [first.id, other.id]
    assert list(found) == SECTIONS
    return {title: {key: one["values"] for key, one in section.items()} for title, section in found.items() if section}


def test_runs_that_are_alike_differ_in_nothing(making: Making, capsys: pytest.CaptureFixture[str]) -> None:
    first, other = making(), making()
    assert differing(capsys, first, other) == {}
    assert run_command(["diff", first.id, other.id]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{first.id} and {other.id} do not differ"]


def test_each_section_names_its_own(making: Making, capsys: pytest.CaptureFixture[str]) -> None:
    facts = {
        "ftrun": "0.2.0",
        "code": "1" * 64,
        "versions": {"hydra-core": "1.4.0"},
        "git": {"commit": "b" * 40, "changed": True},
        "hardware": {"train": {"gpus": 2}},
    }
    other = making(
        "train.learning_rate=0.5", data="e" * 64, code="f" * 64, facts=facts, rows=9, status="failed", cost=2.0
    )
    assert differing(capsys, making(), other) == {
        "recipe": {"train.learning_rate": [0.001, 0.5]},
        "data": {"format rows.jsonl": ["d" * 12, "e" * 12], "format train": [10, 9]},
        "code": {"formatter chat": ["c" * 12, "f" * 12]},
        "versions": {
            "ftrun": ["0.1.0", "0.2.0"],
            "ftrun code": [None, "1" * 12],
            "hydra-core": ["1.3.8", "1.4.0"],
            "git commit of the folder": ["a" * 12, "b" * 12],
            "git changes in the folder": [False, True],
        },
        "hardware": {"train gpus": [None, 2]},
        "results": {"status": ["done", "failed"], "cost": [None, 2.0]},
    }


def test_each_value_says_where_it_came_from(making: Making, capsys: pytest.CaptureFixture[str]) -> None:
    first, other = making(), making("train.learning_rate=0.5", "train.lora_r=8")
    assert run_command(["diff", first.id, "last"]) == 0
    out = capsys.readouterr().out
    assert re.search(rf"^recipe +{first.id[:6]} +{other.id[:6]}$", out, re.MULTILINE)
    assert re.search(
        r"^train.learning_rate +0.001 +0.500\n    from mine.yaml:11:3 \| override train", out, re.MULTILINE
    )
    assert re.search(r"^train.lora_r +8\n    from not set \| override train.lora_r=8$", out, re.MULTILINE)
    assert out.endswith("the same: data, code, versions, hardware, results\n")


def test_environments_are_told_by_their_packages_where_they_are_known(
    making: Making, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    digests = {"old": "1" * 32, "new": "2" * 32}
    first, other = (making(facts={"environments": {"trainer": digest}}) for digest in digests.values())
    assert differing(capsys, first, other)["versions"] == {"environment trainer": ["1" * 12, "2" * 12]}
    store.packages("x").parent.mkdir(parents=True)
    store.packages(digests["old"]).write_text("torch==2.0\nsame==1\ngone==1\n")
    store.packages(digests["new"]).write_text("torch==2.1\nsame==1\n")
    assert differing(capsys, first, other)["versions"] == {
        "trainer: torch": ["2.0", "2.1"],
        "trainer: gone": ["1", None],
    }


def test_a_run_keeps_the_packages_of_its_environments(loading: Callable[..., Loaded], store: Store) -> None:
    from ftrun.api.stage_call import EnvironmentRef

    one = call("train").model_copy(update={"environment": EnvironmentRef(name="trainer", digest="3" * 32)})
    recipe = loading().recipe
    prepare(store, recipe, Plan(recipe="mine", calls=(one,)), (), {}, {})
    lock = recipe.environment["trainer"].lock
    assert lock is not None
    assert store.packages("3" * 32).read_bytes() == lock.read_bytes()


def test_secrets_are_not_shown(making: Making, capsys: pytest.CaptureFixture[str]) -> None:
    first = making(train={"comet_api_key": "key-of-mine-himself"})
    making("train.learning_rate=1", train={"comet_api_key": "key-of-third-himself"})
    for flags in ([], ["--json"]):
        assert run_command(["diff", *flags, first.id, "last"]) == 0
        assert "key-of" not in capsys.readouterr().out


def test_a_run_is_not_compared_with_itself(making: Making, capsys: pytest.CaptureFixture[str]) -> None:
    folder = making()
    assert run_command(["diff", folder.id, "last"]) == 2
    assert f"{folder.id} [usage]" in capsys.readouterr().err


def test_each_section_is_bounded() -> None:
    many = {f"key{number}": {"values": ["a" * 200, "b" * 200], "from": ["x" * 200, None]} for number in range(100)}
    text = list(diff_lines(["aa-x", "bb-x"], {"recipe": many, "data": {}}))
    assert len(text) == 2 * MOST_DIFFERENCES + 3
    assert max(map(len, text)) < 120
    assert text[-2].startswith("and 60 more")
    assert text[-1] == "\nthe same: data"
