"""What a recipe from elsewhere would run or send happens only after the user has seen it and consents."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import Store
from ftrun.cli.main import run_command
from ftrun.plugins.manager import plugins
from ftrun.recipe.compose import compose
from ftrun.recipe.consent_items import find_consent_items, is_overridden, is_shipped
from ftrun.recipe.load import Loaded, load
from ftrun.recipe.recorded import load_recorded
from ftrun.workflow.consent import consent_folder, require_consent, require_recorded_consent
from ftrun.workflow.python_api import plan
from ftrun.workflow.runs import create_run
from ftrun.workflow.session import open_session

Loading = Callable[..., Loaded]
ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def environment(text: str) -> str:
    return f"environment:\n  trainer:\n    {text}\n"


ASKED = [
    pytest.param(environment("python: /tmp/evil/py"), "environment.trainer.python", "/tmp/evil/py", id="python"),
    pytest.param(environment("lock: evil.txt"), "environment.trainer.lock", "evil==1.0", id="lock"),
    pytest.param(environment("preload: [antigravity]"), "environment.trainer.preload", "antigravity", id="preload"),
    pytest.param(environment("image: {base: evil/image}"), "environment.trainer.image.base", "evil/image", id="image"),
    pytest.param(
        environment("image: {system_packages: [netcat]}"),
        "environment.trainer.image.system_packages", "netcat", id="system packages",
    ),
    *(
        pytest.param(
            environment(f"variables: {{{name}: '{value}'}}"),
            f"environment.trainer.variables.{name}", f"{name}={value}", id=name,
        )
        for name, value in {
            "LD_PRELOAD": "/tmp/evil.so", "PYTHONPATH": "/tmp/evil", "HF_ENDPOINT": "https://evil.example",
            "HTTPS_PROXY": "http://evil.example", "NCCL_NET_PLUGIN": "evil", "HF_HUB_OFFLINE": "0",
            "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1", "PYTHONWARNINGS": "error::evil.Warning", "PATH": "/tmp/evil",
        }.items()
    ),
    pytest.param("model:\n  trust_remote_code: true\n", "model.trust_remote_code", "SmolLM2", id="model"),
    pytest.param(
        "evals:\n  wise: {evaluator: judge, base_url: 'https://evil.example/v1', model: m, rubric: r}\n",
        "evals.wise.base_url", "https://evil.example/v1", id="judge",
    ),
    pytest.param(
        "evals:\n  code: {evaluator: lm_eval, task: humaneval, trust_remote_code: true}\n",
        "evals.code.trust_remote_code", "humaneval", id="task",
    ),
    pytest.param("  plugins: [evil.Plugin]\n", "train.plugins", "evil.Plugin", id="plugin of the trainer"),
    pytest.param("  trainer_cls: evil.Trainer\n", "train.trainer_cls", "evil.Trainer", id="class of the trainer"),
    pytest.param(
        "  use_mlflow: true\n  mlflow_tracking_uri: https://evil.example\n",
        "train.mlflow_tracking_uri", "https://evil.example", id="tracker",
    ),
    pytest.param(
        "  use_wandb: true\n  wandb_entity: somebody\n", "train.wandb_entity", "somebody", id="account of a tracker"
    ),
]  # fmt: skip


@pytest.fixture
def loading_all(loading: Loading, folder: Path) -> Loading:
    """Loads with a lock beside the recipe, and without the checks of plugins, which a consent does not replace."""
    (folder / "evil.txt").write_text("evil==1.0\n")
    return loading


def missing(loaded: Loaded, trust: bool = False) -> list[Problem]:
    try:
        require_consent(loaded, plugins(), trust)
    except InvalidInput as error:
        return list(error.problems)
    return []


@pytest.mark.parametrize(("more", "key", "shown"), ASKED)
def test_what_a_recipe_asks_for_is_listed_with_its_place(
    more: str, key: str, shown: str, loading_all: Loading, folder: Path
) -> None:
    loaded = _load(loading_all, more)
    (problem,) = missing(loaded)
    assert problem.code == "needs-consent"
    assert shown in problem.what
    assert str(problem.at).startswith("mine.yaml:")
    lines = (folder / "mine.yaml").read_text().splitlines()
    assert key.rpartition(".")[2] in lines[int(str(problem.at).split(":")[1]) - 1]
    assert missing(loaded, trust=True) == []
    assert missing(loaded) == []


def _load(loading: Loading, more: str, *overrides: str) -> Loaded:
    """Load a recipe whose other problems, such as a missing package, do not matter."""
    text = more if not more.startswith("  ") else f"train:\n{more}"
    base = (
        "defaults:\n  - override /model: smollm2_135m_instruct\n  - override /dataset: quickstart_sql\n"
        "stages: [fetch, format]\n"
    )
    return loading(*overrides, text=base + text)


def test_values_of_the_command_line_and_of_the_packages_need_no_consent(loading_all: Loading) -> None:
    overrides = (
        "environment.trainer.python=/tmp/mine/python",
        "environment.trainer.variables.LD_PRELOAD=/tmp/mine.so",
        "model.trust_remote_code=true",
        "environment.server.variables={PYTHONPATH: /tmp/mine}",
    )
    assert missing(_load(loading_all, "", *overrides)) == []


@pytest.mark.parametrize("recipe", sorted(path.stem for path in (ROOT / "recipes").glob("*.yaml")))
def test_a_recipe_of_the_package_needs_no_consent(recipe: str) -> None:
    assert missing(load([f"recipe={recipe}"], plugins())) == []


@pytest.mark.parametrize(
    "more",
    [
        environment("python: '3.12'"),
        environment("variables: {OMP_NUM_THREADS: '2', HF_HUB_DISABLE_PROGRESS_BARS: '1'}"),
        environment("lock: subset.txt"),
    ],
)
def test_what_runs_nothing_else_needs_no_consent(more: str, loading_all: Loading, folder: Path) -> None:
    (folder / "subset.txt").write_text("\n".join((ROOT / "locks" / "trainer.txt").read_text().splitlines()[:40]))
    assert missing(_load(loading_all, more)) == []


@pytest.mark.parametrize(
    "more",
    [
        "environment:\n  trainer:\n    <<: {python: /tmp/evil}\n",
        "environment:\n  trainer: ${train.other}\ntrain:\n  other: {python: /tmp/evil, lock: evil.txt}\n",
        "environment:\n  trainer:\n    python: ${train.other}\ntrain:\n  other: /tmp/evil\n",
        "environment:\n  <<: {trainer: {python: /tmp/evil}}\n",
        "model:\n  <<: {trust_remote_code: true}\n",
    ],
)
def test_no_way_to_write_yaml_hides_a_value(more: str, folder: Path) -> None:
    text = f"defaults:\n  - override /model: smollm2_135m_instruct\n  - override /dataset: quickstart_sql\n{more}"
    (folder / "mine.yaml").write_text(text)
    folders = plugins().config_folders()
    composed = compose(["recipe=mine.yaml"], folders)
    path = ("model", "trust_remote_code") if "trust" in more else ("environment", "trainer", "python")
    assert not is_shipped(path, composed, folders)
    assert not is_overridden(path, composed)


def test_other_content_is_asked_for_again(loading_all: Loading, folder: Path) -> None:
    lock = environment("lock: evil.txt")
    assert missing(_load(loading_all, lock), trust=True) == []
    (folder / "evil.txt").write_text("evil==1.1\n")
    assert [problem.code for problem in missing(_load(loading_all, lock))] == ["needs-consent"]
    code = folder / "weights" / "modeling.py"
    code.parent.mkdir()
    code.write_text("good = 1\n")
    model = "model:\n  trust_remote_code: true\n  weights: {origin: folder, path: weights}\n"
    assert missing(_load(loading_all, model), trust=True) == []
    assert missing(_load(loading_all, model)) == []
    code.write_text("evil = 1\n")
    assert [problem.code for problem in missing(_load(loading_all, model))] == ["needs-consent"]


def test_the_consent_belongs_to_the_user(loading_all: Loading, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = _load(loading_all, environment("preload: [evil]"))
    assert missing(loaded, trust=True) == []
    (consent,) = consent_folder().iterdir()
    assert "imports evil" in json.loads(consent.read_text())["what"]
    assert consent_folder().stat().st_mode & 0o077 == 0
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert len(missing(loaded)) == 1


def test_a_recorded_recipe_of_another_user_is_asked_for(
    loading_all: Loading, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = ("recipe=mine.yaml", "stages=[format]", "environment.trainer.variables.PYTHONPATH=/tmp/x")
    _load(loading_all, "")
    created = create_run(open_session(own))
    require_recorded_consent(created.folder, plugins(), trust=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "of somebody else"))
    for code, command in {2: ["resume", created.id], 0: ["rerun", "--plan", "--trust", created.id]}.items():
        assert run_command(command) == code
    require_recorded_consent(created.folder, plugins(), trust=False)


def test_the_interpreter_of_a_recipe_runs_only_with_consent(
    loading_all: Loading, folder: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    python = folder / "python"
    python.write_text(f"#!/bin/sh\ntouch {folder}/ran\nexec {os.path.realpath('/bin/false')}\n")
    python.chmod(0o755)
    _load(loading_all, environment(f"python: {python}").replace("format]", "format, tokenize]"))
    commands = (["plan"], ["run"], ["rehearse"], ["preview"], ["run", "-m"], ["deploy"], ["run", "--json"])
    for command in commands:
        assert run_command([*command, "recipe=mine.yaml"]) == 2, command
        assert "needs-consent" in "".join(capsys.readouterr()), command
    with pytest.raises(InvalidInput):
        plan("mine.yaml")
    assert not (folder / "ran").exists()


def test_a_rerun_keeps_what_the_user_gave(loading_all: Loading) -> None:
    loaded = _load(loading_all, "", "environment.trainer.variables.PYTHONPATH=/tmp/x")
    assert missing(loaded) == []
    values = loaded.recipe.model_dump(mode="json")
    again = load_recorded(values, loaded.origins(), loaded.given, (), plugins())
    assert missing(again) == []
    other = load_recorded(values, {}, (), ("environment.trainer.variables.LD_PRELOAD=/tmp/y",), plugins())
    assert missing(other) == []
    assert len(find_consent_items(other.recipe, plugins())) > 2


def test_a_file_of_a_consent_has_no_secret(loading_all: Loading) -> None:
    loaded = loading_all(more=environment("variables: {HTTPS_PROXY: 'http://me:hunter2@evil.example'}"))
    require_consent(loaded, plugins(), trust=True)
    (consent,) = consent_folder().iterdir()
    assert "evil.example" in consent.read_text()
    assert "hunter2" not in consent.read_text()
    require_consent(loaded, plugins(), trust=False)
