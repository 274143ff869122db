"""Shell completion: what a word may become, and that bash, zsh and fish put it in."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftrun.api.config_dirs import recipe_names
from ftrun.api.paths import RunFolder, Store
from ftrun.cli.commands import builtin_commands
from ftrun.cli.completion.build import build_index
from ftrun.cli.completion.cache import load_index
from ftrun.cli.completion.candidates import candidates
from ftrun.cli.completion.server import split_line
from ftrun.cli.main import run_command
from ftrun.recipe.load import Loaded
from ftrun.utils.package_data import find_data_folder
from helpers.another_plugin import another_plugin
from helpers.ended_runs import call, ended_run
from helpers.terminal import Terminal
from helpers.workplace import FTRUN, PROJECT

SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(ftrun --shell-completion install=bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'eval "$(ftrun --shell-completion install=zsh)"'),
    "fish": (["fish", "--no-config", "-i"], "ftrun --shell-completion install=fish | source"),
}
HEAVY = {"click", "pydantic", "hydra", "omegaconf", "yaml", "pluggy", "rich", "ftrun_plugins", "ftrun.plugins.manager"}


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    return json.loads(json.dumps(build_index(), default=str))


@pytest.fixture
def completed(known: dict[str, Any], folder: Path, store: Store) -> Callable[[str], list[str]]:
    """What the last word of a line may become."""

    def complete(line: str) -> list[str]:
        words = split_line(line)
        return list(candidates(words[1:-1], words[-1], known))

    return complete


@pytest.fixture
def ended(loading: Callable[..., Loaded], store: Store) -> RunFolder:
    return ended_run(store, loading().recipe, [call("format"), call("fetch:model")])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ftrun sh", ["show"]),
        ("ftrun recipe=qu", ["recipe=quickstart"]),
        ("ftrun plan recipe=qu", ["recipe=quickstart"]),
        ("ftrun -m recipe=qu", ["recipe=quickstart"]),
        ("ftrun run -d recipe=qu", ["recipe=quickstart"]),
        ("ftrun train.lear", ["train.learning_rate="]),
        ("ftrun recipe=quickstart train.lear", ["train.learning_rate="]),
        ("ftrun optimizations=lo", ["optimizations=lora"]),
        ("ftrun optimizations=[qlo", ["optimizations=[qlora]", "optimizations=[qlora,"]),
        ("ftrun optimizations=[lora,qlo", ["optimizations=[lora,qlora]", "optimizations=[lora,qlora,"]),
        ("ftrun optimizations=[lora,lor", []),
        ("ftrun optim", ["optimizations=", "optimizations."]),
        ("ftrun optimizations.lora.lora_a", ["optimizations.lora.lora_alpha="]),
        ("ftrun backend=", ["backend=local", "backend=modal"]),
        ("ftrun dataset.source.name=pyth", ["dataset.source.name=python_docs"]),
        ("ftrun dataset.formatter.name=ch", ["dataset.formatter.name=chat"]),
        ("ftrun evals.exact_match.evaluator=sql", ["evals.exact_match.evaluator=sql_execution"]),
        ("ftrun evals.exact_match.ignore_c", ["evals.exact_match.ignore_case="]),
        ("ftrun evals.exact_match.ignore_case=t", ["evals.exact_match.ignore_case=true"]),
        ("ftrun evals.exact_match.gate.min_", ["evals.exact_match.gate.min_gain_over_base="]),
        ("ftrun evals.exact_match.rub", []),  # of another evaluator
        ("ftrun generate.engine=v", ["generate.engine=vllm"]),
        ("ftrun model.weights.origin=p", ["model.weights.origin=package"]),
        ("ftrun resources.train.gp", ["resources.train.gpu="]),
        ("ftrun stages=[fet", ["stages=[fetch]", "stages=[fetch,"]),
        ("ftrun ++train.lear", ["++train.learning_rate="]),
        ("ftrun ~train.lear", ["~train.learning_rate="]),
        ("ftrun recipes c", ["copy"]),
        ("ftrun recipes copy qu", ["quickstart"]),
        ("ftrun recipes show code", ["codellama_modal_docs", "codellama_sql"]),
        ("ftrun envs make tr", ["trainer"]),
        ("ftrun envs make trainer ser", ["server", "server_cpu"]),
        ("ftrun pull --t", ["--to"]),
        ("ftrun runs --lo", ["--local"]),
        ("ftrun --cf", ["--cfg"]),
        ("ftrun nothing.at.all", []),
        ("ftrun nothing=", []),
        ("ftrun show ", []),
    ],
)
def test_a_word_becomes(line: str, expected: list[str], completed: Callable[[str], list[str]]) -> None:
    found = completed(line)
    assert found[: len(expected)] == expected
    assert len(found) == len(expected) or line.endswith("code")


def test_the_first_word_is_a_verb_or_a_recipe(completed: Callable[[str], list[str]]) -> None:
    assert set(completed("ftrun ")) == {*builtin_commands(), "recipe="}


def test_every_recipe_and_every_option_of_a_group(completed: Callable[[str], list[str]]) -> None:
    names = {one.removeprefix("recipe=") for one in completed("ftrun recipe=")}
    assert names >= set(recipe_names(find_data_folder("recipes")))
    options = {file.stem for file in find_data_folder("conf").glob("optimizations/*.yaml")}
    assert {one.removeprefix("optimizations=") for one in completed("ftrun optimizations=")} == {*options, "["}


@pytest.mark.parametrize(
    "verb", ["show", "logs", "resume", "rerun", "rm", "diff", "compare", "serve", "files -h --json"]
)
def test_runs_by_their_ids(verb: str, completed: Callable[[str], list[str]], ended: RunFolder) -> None:
    assert completed(f"ftrun {verb} ") == ["last", ended.id]
    assert completed(f"ftrun {verb} {ended.id[:3]}") == [ended.id]


def test_what_is_named_already_is_not_offered_again(completed: Callable[[str], list[str]], ended: RunFolder) -> None:
    assert completed("ftrun compare last ") == [ended.id]


@pytest.mark.parametrize("run", ["last", "prefix"])
def test_calls_of_a_run(run: str, completed: Callable[[str], list[str]], ended: RunFolder) -> None:
    name = ended.id[:4] if run == "prefix" else run
    assert completed(f"ftrun logs {name} ") == ["format", "fetch:model"]
    assert completed(f"ftrun logs -f {name} fe") == ["fetch:model"]


def test_overrides_behind_a_run(completed: Callable[[str], list[str]], ended: RunFolder) -> None:
    assert completed("ftrun rerun last train.lear") == ["train.learning_rate="]


def test_artifacts_for_rm(completed: Callable[[str], list[str]], store: Store) -> None:
    ref = call("train").ref
    store.artifact(ref).mkdir(parents=True)
    assert completed("ftrun rm train/") == [str(ref)]


def test_files_where_a_path_is_meant(completed: Callable[[str], list[str]], folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "rows.jsonl").touch()
    (folder / "mine.yaml").touch()
    (folder / ".hidden.yaml").touch()
    assert completed("ftrun recipe=min") == ["recipe=mine.yaml"]
    assert completed("ftrun recipe=.") == ["recipe=.hidden.yaml"]
    assert completed("ftrun dataset.source.path=da") == ["dataset.source.path=data/"]
    assert completed("ftrun dataset.source.path=data/") == ["dataset.source.path=data/rows.jsonl"]
    assert completed("ftrun pull --to ") == ["data/", "mine.yaml"]


def test_those_of_other_packages(folder: Path, tmp_path: Path, store: Store) -> None:
    from ftrun.api.config_dirs import ConfigFolders

    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "theirs.yaml").touch()
    (tmp_path / "conf" / "optimizations").mkdir(parents=True)
    (tmp_path / "conf" / "optimizations" / "galore.yaml").write_text("galore: {optim_target: all}\n")

    with another_plugin(
        ftrun_config_sources=lambda: ConfigFolders("theirs", tmp_path / "conf", tmp_path / "recipes"),
        ftrun_recipe_keys=lambda: {"train": ["their_key"]},
    ):
        known = json.loads(json.dumps(build_index(), default=str))
    assert list(candidates([], "recipe=the", known)) == ["recipe=theirs"]
    assert list(candidates([], "optimizations=gal", known)) == ["optimizations=galore"]
    assert list(candidates([], "optimizations.galore.", known)) == ["optimizations.galore.optim_target="]
    assert list(candidates([], "train.their", known)) == ["train.their_key="]


@given(line=st.text(st.sampled_from("ab= .'\"\\[,~+-/\té"), max_size=30))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_line_is_answered(line: str, known: dict[str, Any]) -> None:
    words = split_line(f"ftrun {line}")
    assert words[0] == "ftrun"
    for text in candidates(words[1:-1], words[-1], known):
        assert text.startswith(words[-1].rstrip())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ftrun a b", ["ftrun", "a", "b"]),
        ("ftrun a ", ["ftrun", "a", ""]),
        ("ftrun 'a b", ["ftrun", "a b"]),
        ('ftrun "a \\"b" c', ["ftrun", 'a "b', "c"]),
        ("ftrun \\[a", ["ftrun", "[a"]),
        ("ftrun '' x", ["ftrun", "", "x"]),
        ('ftrun "a\\', ["ftrun", "a\\"]),
        ("ftrun #a", ["ftrun", "#a"]),
        ("", [""]),
    ],
)
def test_a_line_is_split_as_a_shell_does(line: str, words: list[str]) -> None:
    assert split_line(line) == words


def query(line: str, shell: str = "zsh", *python: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COMP_LINE": line, **more}
    command = [sys.executable, *python, str(FTRUN), "--shell-completion", f"query={shell}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=True)


def test_an_answer_imports_nothing_that_takes_time(folder: Path, store: Store) -> None:
    query("ftrun sh")  # makes the index
    result = query("ftrun optimizations=", "zsh", "-X", "importtime")
    imported = set(re.findall(r"\| +([\w.]+)$", result.stderr, re.MULTILINE))
    assert "ftrun.cli.completion.candidates" in imported  # or the report was not understood
    assert imported.isdisjoint(HEAVY)
    assert "optimizations=lora\n" in result.stdout


def test_the_index_is_made_anew_when_a_file_changes(folder: Path, store: Store) -> None:
    first = load_index()
    assert load_index() == first
    (kept,) = (folder.parent / "cache" / "ftrun" / "completion").glob("*.json")
    values = json.loads(kept.read_text())
    values["made_of"][str(PROJECT / "conf" / "optimizations")] = 1
    values["groups"] = []
    kept.write_text(json.dumps(values))
    assert load_index() == first
    kept.write_text("{")
    assert load_index() == first


def test_bash_gets_what_comes_behind_its_last_break(folder: Path, store: Store) -> None:
    assert query("ftrun recipe=qu", "bash", COMP_WORD="qu").stdout == "quickstart\n"
    assert query("ftrun recipe=qu", "bash", COMP_WORD="recipe=qu").stdout == "recipe=quickstart\n"
    assert query("ftrun backend=", "bash", COMP_WORD="").stdout == "local\nmodal\n"
    assert query("ftrun 'stages=[fet", "bash", COMP_WORD="stages=[fet").stdout == "stages=[fetch]\nstages=[fetch,\n"
    assert query("ftrun stages='[fet", "bash", COMP_WORD="[fet").stdout == "[fetch]\n[fetch,\n"
    assert query("ftrun stages=\\[fet", "bash", COMP_WORD="\\[fet").stdout == "[fetch]\n[fetch,\n"


def test_what_a_verb_does_is_told_beside_it(folder: Path, store: Store) -> None:
    assert query("ftrun sh", "fish").stdout == f"show\t{builtin_commands()['show'].help.rstrip('.')}\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_it_can_be_taken_back(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--shell-completion", f"uninstall={shell}"]) == 0
    assert "ftrun" in capsys.readouterr().out


@pytest.mark.parametrize("wish", ["install=tcsh", "install=", "instal=bash", ""])
def test_another_wish_is_refused(wish: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--shell-completion", wish]) == 2
    assert "install=bash or install=zsh or install=fish" in capsys.readouterr().err


@pytest.mark.parametrize("shell", SHELLS)
def test_a_person_types_and_the_shell_completes(shell: str, folder: Path, store: Store, ended: RunFolder) -> None:
    command, install = SHELLS[shell]
    if which(command[0]) is None:
        pytest.skip(f"there is no {shell} here")
    path = f"{FTRUN.parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"}
    query("ftrun sh")
    with Terminal(command, folder, environment) as terminal:
        terminal.type(f'{install}; echo ready-"to"-type\n')
        terminal.until("ready-to-type")
        for typed, shown in (
            ("ftrun sh\t", r"ftrun ?\r?.*show "),
            ("ftrun recipe=qu\t", "recipe=quickstart "),
            ("ftrun train.lear\t", "train.learning_rate="),
            (f"ftrun show {ended.id[:4]}\t", ended.id),
            ("ftrun optimizations=\\[qlo\t", r"qlora"),
            ("ftrun 'optimizations=[qlo\t", r"'optimizations=\[qlo\x07?ra"),
        ):
            terminal.type(f"\x15{typed}")
            terminal.until(shown)
