"""The command line as a whole: what starts fast, how it ends, and what it says."""

from __future__ import annotations

import errno
import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ftrun.api.errors import FtrunError, GateNotMet, Interrupted, InvalidInput, StageError, StoreError
from ftrun.api.paths import RunFolder, Store
from ftrun.api.stage_call import EnvironmentRef, Plan, StageCall
from ftrun.cli.commands import builtin_commands
from ftrun.cli.main import run_command
from ftrun.execution.engine import prepare
from ftrun.recipe.load import Loaded
from ftrun.store import runs

HEAVY = {
    "axolotl", "datasets", "gradio", "httpx2", "huggingface_hub", "modal", "numpy", "openai", "pandas", "torch",
    "transformers", "vllm",
}  # fmt: skip
START = "import sys; from ftrun.cli.main import main; main(sys.argv[1:])"


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options.pop("python", ()), "-c", START, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["validate", "recipe=quickstart"], ["runs"]])
def test_start_up_imports_nothing_heavy(arguments: list[str], store: Store, folder: Path) -> None:
    result = run(*arguments, python=["-X", "importtime"])
    assert result.returncode == 0, result.stderr
    imported = set(re.findall(r"\| +([\w.]+)$", result.stderr, re.MULTILINE))
    assert "click" in imported  # or the report was not understood
    assert {name.partition(".")[0] for name in imported}.isdisjoint(HEAVY)


def test_help_imports_neither_hydra_nor_pydantic_and_only_the_hooks_of_plugins(store: Store, folder: Path) -> None:
    start = "import sys; from ftrun.cli.main import run_command"
    code = f"{start}; run_command(['--help']); print(*sys.modules, file=sys.stderr)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    imported = set(result.stderr.split())
    assert {name.partition(".")[0] for name in imported}.isdisjoint({"hydra", "omegaconf", "pydantic", "rich"})
    plugins = {name for name in imported if name.startswith("ftrun_plugins.")}
    assert "ftrun_plugins.serving.plugin" in plugins
    packages = {name.rpartition(".")[0] for name in plugins}
    assert all(name.endswith(".plugin") or name in packages for name in plugins)


@pytest.mark.parametrize("verb", builtin_commands())
def test_every_verb_has_its_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([verb, "--help"]) == 0
    out = capsys.readouterr().out
    module, _, name = builtin_commands()[verb].target.partition(":")
    command = getattr(importlib.import_module(module), name)
    assert f"Usage: ftrun {verb}" in out
    assert command.help.partition("\n")[0] in " ".join(out.split())


def test_the_help_lists_every_verb_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--help"]) == run_command([]) == 0
    out = capsys.readouterr().out
    for verb, line in ((name, command.help) for name, command in builtin_commands().items()):
        assert re.search(rf"^  {verb} +{re.escape(line)}$", out, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "code", "near"),
    [
        (["plann"], "unknown-command", "plan"),
        (["vaildate", "recipe=quickstart"], "unknown-command", "validate"),
        (["recipe=quikstart"], "unknown-name", "quickstart"),
        (["-m", "recipe=quikstart"], "unknown-name", "quickstart"),
        (["recipe=quikstart", "--cfg", "job"], "unknown-name", "quickstart"),
        (["recipes", "show", "quikstart"], "unknown-name", "quickstart"),
        (["plan", "recipe=quickstart", "train.num_epoch=1"], "unknown-key", "num_epochs"),
        (["envs", "path", "trainr"], "unknown-name", "trainer"),
        (["envs", "make", "trainr"], "unknown-name", "trainer"),
    ],
)
def test_a_mistake_ends_with_2_and_the_nearest_name(
    arguments: list[str], code: str, near: str, capsys: pytest.CaptureFixture[str], store: Store, folder: Path
) -> None:
    assert run_command(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"[{code}]" in err
    assert re.search(rf"did you mean +{near}\?", err)
    assert not store.root.exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["validate"], "missing-recipe"),
        (["validate", "--bogus"], "unknown-option"),
        (["--bogus"], "unknown-option"),
        (["runs", "--jsno"], "usage"),
        (["show", "a", "b"], "usage"),
        (["show", "nope"], "unknown-run"),
        (["logs"], "unknown-run"),
        (["resume"], "unknown-run"),
        (["cancel", "nope"], "unknown-run"),
    ],
)
def test_what_cannot_be_done_ends_with_2_and_says_so(
    arguments: list[str], code: str, capsys: pytest.CaptureFixture[str], store: Store
) -> None:
    assert run_command(arguments) == 2
    assert f"[{code}]" in capsys.readouterr().err


def test_a_mistake_of_usage_is_json_where_json_is_asked_for(capsys: pytest.CaptureFixture[str], store: Store) -> None:
    assert run_command(["runs", "--json", "--jsno"]) == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["problems"][0]["code"] == "usage"
    assert err == ""


def test_the_problems_for_programs(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert run_command(["validate", "--json", "recipe=quickstart", "train.num_epoch=1"]) == 2
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert told["exit_code"] == 2
    assert told["problems"] == [
        {
            "code": "unknown-key",
            "what": "unknown key `num_epoch`",
            "at": "override train.num_epoch=1",
            "expected": None,
            "did_you_mean": ["num_epochs"],
            "hint": None,
        }
    ]
    assert err == ""


def test_validate_names_what_is_valid(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert run_command(["validate", "recipe=quickstart"]) == 0
    assert capsys.readouterr().out == "quickstart: valid\n"
    assert run_command(["validate", "--all", "--json"]) == 0
    assert "quickstart" in json.loads(capsys.readouterr().out)["valid"]


def test_validate_all_names_the_recipe_of_each_problem(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert run_command(["validate", "--all", "generate.nothing=1"]) == 2
    err = capsys.readouterr().err
    assert "quickstart: unknown key `generate.nothing`" in err
    assert "codellama_sql: unknown key `generate.nothing`" in err


def test_recipes_are_listed_with_their_first_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["recipes"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^quickstart +Fine-tunes SmolLM2", out, re.MULTILINE)
    assert run_command(["recipes", "--json"]) == 0
    assert {"name", "provider", "about"} == set(json.loads(capsys.readouterr().out)[0])


def test_a_recipe_is_shown_as_written_and_as_composed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["recipes", "show", "quickstart"]) == 0
    source, _, composed = capsys.readouterr().out.partition("# composed")
    assert "override /model: smollm2_135m_instruct" in source
    assert "base_model: HuggingFaceTB/SmolLM2-135M-Instruct" in composed


def test_a_plan_runs_nothing_and_says_why_each_call_would(
    capsys: pytest.CaptureFixture[str], store: Store, folder: Path
) -> None:
    assert run_command(["plan", "recipe=quickstart"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("quickstart on local\n")
    assert re.search(r"^  train +to run  \w+ +trainer +never ran$", out, re.MULTILINE)
    assert re.search(r"^ +effective batch: 2 packs of 512 tokens", out, re.MULTILINE)
    assert "18 of 18 calls to run" in out
    assert "environments to make first: server_cpu, trainer" in out
    assert run_command(["plan", "--json", "recipe=quickstart"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert [call["call"] for call in plan["calls"]][:2] == ["fetch:model", "format"]
    assert not any(call["cached"] for call in plan["calls"])
    assert not store.root.exists()


def test_a_plan_names_what_train_replaces(capsys: pytest.CaptureFixture[str], store: Store, folder: Path) -> None:
    assert run_command(["plan", "recipe=quickstart", "train.lora_r=8"]) == 0
    assert "train.lora_r=8 replaces 16 of lora" in capsys.readouterr().out


def test_hydra_keeps_its_own_flags(store: Store, folder: Path) -> None:
    result = run("recipe=quickstart", "train.num_epochs=7", "--cfg", "job")
    assert result.returncode == 0
    assert "num_epochs: 7" in result.stdout
    assert run("recipe=quickstart", "--info", "defaults").returncode == 0
    assert list(folder.iterdir()) == []


@pytest.fixture
def a_run(loading: Callable[..., Loaded], store: Store) -> RunFolder:
    """A run that ended, without artifacts."""
    environment = EnvironmentRef(name="client")
    call = StageCall(
        stage="format", version=1, params={}, environment=environment, label="fetch:model", implementation="a:B"
    )
    overrides = ("recipe=mine.yaml", "train.x=1")
    folder = prepare(store, loading().recipe, Plan(recipe="mine", calls=(call,)), overrides, {}, {})
    record = runs.load(folder)
    record.status = "failed"
    record.problems = ({"what": "boom", "where": None, "expected": None, "nearest": [], "do": "mend it"},)
    runs.save(folder, record)
    folder.log("fetch:model").write_text("line one\nline two\n")
    return folder


def test_runs_are_listed_and_shown(a_run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["runs"]) == 0
    assert re.fullmatch(
        rf"{a_run.id} +failed +local +\d{{4}}-\d\d-\d\d \d\d:\d\d  train.x=1\n", capsys.readouterr().out
    )
    assert run_command(["runs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["id"] == a_run.id
    assert run_command(["show", a_run.id[:6]]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{a_run.id}: failed\n")
    assert re.search(r"fetch:model +not there", out)
    assert "boom" in out
    assert run_command(["show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["problems"][0]["what"] == "boom"


def test_logs_of_all_calls_of_one_and_of_none(a_run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["logs"]) == 0
    assert capsys.readouterr().out == "==> fetch.model <==\nline one\nline two\n"
    for name in ("fetch:model", "fetch.model"):
        assert run_command(["logs", "last", name]) == 0
        assert capsys.readouterr().out == "line one\nline two\n"
    assert run_command(["logs", "last", "fetch:modle"]) == 2
    assert re.search(r"did you mean +fetch:model\?", capsys.readouterr().err)


def test_cancelling_what_does_not_run_says_so(a_run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["cancel"]) == 0
    assert capsys.readouterr().out == f"{a_run.id} is not running: failed\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StageError("train", ()), 1),
        (StoreError(()), 1),
        (InvalidInput(()), 2),
        (GateNotMet(()), 3),
        (Interrupted(()), 130),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 0),
        (ZeroDivisionError("a fault of ftrun's own"), 1),
    ],
)
def test_exit_codes(error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise error

    monkeypatch.delenv("FTRUN_DEBUG", raising=False)
    monkeypatch.setattr("ftrun.cli.main._dispatch", fail)
    with Path(os.devnull).open("w") as out:  # what a broken pipe replaces
        monkeypatch.setattr(sys, "stdout", out)
        assert run_command(["runs"]) == code
    assert not isinstance(error, FtrunError) or error.exit_code == code


def test_a_fault_of_ftruns_own_is_one_line_unless_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> int:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("ftrun.cli.main._dispatch", fail)
    monkeypatch.delenv("FTRUN_DEBUG", raising=False)
    run_command([])
    err = capsys.readouterr().err
    assert "internal error: ZeroDivisionError: oh" in err
    assert "Traceback" not in err
    monkeypatch.setenv("FTRUN_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run_command([])


@pytest.mark.parametrize(
    "arguments", [["recipes", "show", "quickstart"], ["validate", "recipe=quickstart"], ["--help"]]
)
def test_a_reader_that_has_gone_is_no_error(
    arguments: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # so that the output is written at the very end
    reading, writing = os.pipe()
    os.close(reading)
    result = subprocess.run(
        [sys.executable, "-c", START, *arguments], stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60
    )
    os.close(writing)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_full_disk_is_told_wherever_it_is_met(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("ftrun.store.runs.all_runs", full)
    assert run_command(["runs"]) == 1
    assert "the disk is full" in capsys.readouterr().err
