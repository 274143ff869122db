"""Contract of stages."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, ValidationError

from ftrun.api.backends import Backend
from ftrun.api.paths import MANIFEST, Store
from ftrun.api.recipe import Recipe
from ftrun.api.stage_call import Plan, StageCall
from ftrun.testing import fuzz_inputs
from ftrun.testing.component import ComponentContract, assert_closed
from ftrun.testing.harness import plan_recipe, read_recipe, registry, run_calls, write_recipe
from ftrun.utils.digests import sha256_of

SECONDS = 1.0  # maximum processor time of a plan; a tenth is usual
_RECIPES: dict[tuple[Path | str, ...], Recipe] = {}
MakePlan = Callable[..., tuple[Plan, Backend, Store]]


class StageContract(ComponentContract):
    """Contract tests of a stage. Inherit as `TestX`, and set `stage` and `recipe`.

    Args:
        stage: The class under test.
        recipe: A recipe, as a mapping, whose `stages` include this stage.
        files: Contents of files beside the recipe, by name.
        matter: Overrides that must change the key of a call of the stage.
        do_not_matter: Overrides that must not change the key of any call of the stage.
        runs: If true, the tests run the stage and its inputs. Only for stages that require no packages besides ftrun.
        repeats: If true, a second run must write the same files.
    """

    kind = "stage"
    stage: ClassVar[type[Any]]
    recipe: ClassVar[Mapping[str, Any]]
    files: ClassVar[Mapping[str, str]] = {}
    matter: ClassVar[Sequence[str]]
    do_not_matter: ClassVar[Sequence[str]] = ()
    runs: ClassVar[bool] = False
    repeats: ClassVar[bool] = True

    @pytest.fixture
    def make_plan(self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> MakePlan:
        """Return a function that plans the recipe in a folder.

        The default is a folder for this class, in which each recipe is composed only once.
        """
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        default_folder = tmp_path_factory.getbasetemp() / f"{type(self).__module__}.{type(self).__qualname__}"
        loaded = registry("stage", self.stage)

        def plan(*overrides: str, folder: Path = default_folder) -> tuple[Plan, Backend, Store]:
            if (folder, *overrides) not in _RECIPES:
                write_recipe(folder, self.recipe)
                for name, text in self.files.items():
                    (folder / name).write_text(text, encoding="utf-8")
                _RECIPES[folder, *overrides] = read_recipe(folder, loaded, *overrides)
            monkeypatch.chdir(folder)
            return plan_recipe(folder, loaded, _RECIPES[folder, *overrides])

        return plan

    def calls(self, plan: Plan) -> list[StageCall]:
        calls = [call for call in plan.calls if call.stage == self.stage.name]
        assert calls, f"the plan of the recipe has no call of `{self.stage.name}`"
        return calls

    def params(self) -> type[BaseModel]:
        """Return the model of the parameters: `Params` in the module of the stage."""
        model: type[BaseModel] = importlib.import_module(self.stage.__module__).Params
        return model

    def test_its_version_is_a_number_and_its_environment_exists(self, make_plan: MakePlan) -> None:
        version = self.stage.version
        assert type(version) is int, f"the version is {version!r}"
        assert version >= 1, "the version must be 1 or more"
        (plan, _, _), names = make_plan(), {self.stage.environment, *getattr(self.stage, "other_environments", ())}
        for call in self.calls(plan):
            assert call.environment.name in names, (
                f"{call.label} runs in {call.environment.name}, not in one of {names}"
            )

    def test_its_labels_begin_with_its_name(self, make_plan: MakePlan) -> None:
        labels = [call.label for call in self.calls(make_plan()[0])]
        assert len(set(labels)) == len(labels)
        for label in labels:
            assert label.partition(":")[0] == self.stage.name, f"the label {label} must begin with `{self.stage.name}`"

    def test_a_plan_is_repeatable_and_writes_nothing(self, make_plan: MakePlan) -> None:
        first = make_plan()[0]
        before = _file_digests(Path.cwd())
        assert _keys(self.calls(make_plan()[0])) == _keys(self.calls(first))
        assert _file_digests(Path.cwd()) == before, "planning writes files"

    def test_a_plan_is_cheap(self, make_plan: MakePlan) -> None:
        make_plan()  # imports do not count
        started = time.process_time()
        make_plan()
        assert time.process_time() - started < SECONDS

    def test_its_params_are_frozen_and_closed(self, make_plan: MakePlan) -> None:
        model = self.params()
        assert_closed(model)
        for call in self.calls(make_plan()[0]):
            assert model.model_validate(call.params).model_dump(mode="json") == call.params
            with pytest.raises(ValidationError, match="no_such_parameter"):
                model.model_validate({**call.params, "no_such_parameter": 1})

    def test_every_value_of_its_params_is_in_the_key(self, make_plan: MakePlan) -> None:
        for call in self.calls(make_plan()[0]):
            assert_values_in_key(call)

    def test_only_overrides_that_matter_change_a_key(self, make_plan: MakePlan) -> None:
        assert self.matter, "`matter` must contain an override that changes the output of the stage"
        before = _keys(self.calls(make_plan()[0]))
        for override in self.matter:
            assert _keys(self.calls(make_plan(override)[0])) != before, f"{override} changes no key"
        for override in self.do_not_matter:
            assert _keys(self.calls(make_plan(override)[0])) == before, f"{override} changes a key"

    def test_a_second_run_writes_the_same_files(self, make_plan: MakePlan, tmp_path: Path) -> None:
        if not self.runs:
            return
        digests = []
        for name in ("first", "second"):
            plan, backend, store = make_plan(folder=tmp_path / name)
            run_calls(_with_inputs(plan, self.calls(plan)), backend, store)
            digests.append([_file_digests(store.artifact(call.ref)) for call in self.calls(plan)])
        assert digests[0]
        assert digests[0] == digests[1] or not self.repeats, "a second run of the same call writes other files"


def assert_values_in_key(call: StageCall) -> None:
    """Assert that a change of any value in the parameters of a call, at any depth, changes its key."""
    for path in fuzz_inputs.paths(call.params):
        other = fuzz_inputs.replace(call.params, path, fuzz_inputs.perturb(fuzz_inputs.get(call.params, path)))
        changed = StageCall(**call.model_copy(update={"params": other}).model_dump())
        assert changed.key != call.key, f"the key of {call.label} does not depend on the parameter {path}"


def _with_inputs(plan: Plan, calls: Sequence[StageCall]) -> list[StageCall]:
    """Return calls and all their inputs, in the order of the plan."""
    refs = {call.ref for call in calls}
    for call in reversed(plan.calls):
        refs |= set(call.inputs.values()) if call.ref in refs else set()
    return [call for call in plan.calls if call.ref in refs]


def _keys(calls: Sequence[StageCall]) -> dict[str, str]:
    return {call.label: call.key for call in calls}


def _file_digests(folder: Path) -> dict[str, str]:
    """Return the digests of the files in a folder, without manifests, because these contain times."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}
