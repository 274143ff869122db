"""Keys that need a package which the trainer's lock does not have are refused by `validate`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ftrun.api.errors import InvalidInput, Problem
from ftrun.recipe.load import Loaded
from ftrun_plugins.axolotl.config.package_keys import CUT_PLUGIN, PACKAGE_KEYS, PackageKey

Loading = Callable[..., Loaded]
PLUGINS = {
    "cut_cross_entropy": CUT_PLUGIN,
    "dense_mixer": "axolotl.integrations.densemixer.DenseMixerPlugin",
    "use_swanlab": "axolotl.integrations.swanlab.SwanLabPlugin",
    "swanlab_project": "axolotl.integrations.swanlab.SwanLabPlugin",
}
TEXTS = {"swanlab_project": "sql"}
USES = [(entry, entry.values[0] if entry.values else TEXTS.get(entry.key, "true")) for entry in PACKAGE_KEYS]


def overrides(entry: PackageKey, value: str) -> list[str]:
    given = [f"train.{entry.key}={json.dumps([value]) if entry.key == 'plugins' else value}"]
    return [*given, f"train.plugins=[{PLUGINS[entry.key]}]"] if entry.key in PLUGINS else given


def problems_of(loading: Loading, *given: str) -> list[Problem]:
    with pytest.raises(InvalidInput) as caught:
        loading(*given)
    return list(caught.value.problems)


@pytest.mark.parametrize(("entry", "value"), USES, ids=lambda part: getattr(part, "package", part))
def test_a_key_without_its_package_is_one_problem(entry: PackageKey, value: str, loading: Loading) -> None:
    (problem,) = problems_of(loading, *overrides(entry, value))

    assert problem.code == "missing-package"
    assert problem.at
    assert problem.at.startswith("override train.")
    assert f"`{entry.package}`" in problem.what


@pytest.mark.parametrize(("entry", "value"), USES, ids=lambda part: getattr(part, "package", part))
def test_a_lock_with_the_package_is_enough(entry: PackageKey, value: str, loading: Loading, folder: Path) -> None:
    (folder / "mine.txt").write_text(f"axolotl==0.21.0\n{entry.package}==1.0\n")

    loading(*overrides(entry, value), f"environment.trainer.lock={folder / 'mine.txt'}")


def test_the_packages_of_an_interpreter_are_not_known(loading: Loading) -> None:
    loading("train.optimizer=lomo", "environment.trainer.python=/usr/bin/python3")


def test_a_tracker_without_its_package_is_refused(loading: Loading) -> None:
    (problem,) = problems_of(loading, "train.use_mlflow=true")

    assert (problem.code, problem.at) == ("missing-package", "override train.use_mlflow=true")


def test_an_optimizer_that_axolotl_renamed_has_its_new_name_in_the_hint(loading: Loading) -> None:
    (problem,) = problems_of(loading, "train.optimizer=ao_adamw_4bit")

    assert (problem.code, problem.at) == ("invalid-value", "override train.optimizer=ao_adamw_4bit")
    assert "adamw_torch_4bit" in (problem.hint or "")
