"""What every stage has to keep to."""

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
from ftrun.testing.harness import make, read_recipe, registry, run_calls, write_recipe
from ftrun.utils.digests import sha256_of

SECONDS = 1.0  # of processor time that a plan may take; on a quiet machine it takes a tenth
_RECIPES: dict[tuple[Path | str, ...], Recipe] = {}
Planned = Callable[..., tuple[Plan, Backend, Store]]


class StageContract(ComponentContract):
    """Inherit it as `TestX`, and set `stage` and `recipe`.

    Args:
        stage: The class.
        recipe: A recipe, as a mapping, whose `stages` have this one among them.
        files: Files beside the recipe, by name.
        matter: Overrides that have to change the key of one of its calls.
        do_not_matter: Overrides that must not.
        runs: Whether the contract runs it, with all that it works on: for stages that need no more than ftrun.
        repeats: Whether a second run writes the same files.
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
    def planned(self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Planned:
        """Plans the recipe in a folder, by default one of this class: there each recipe is composed but once."""
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        own = tmp_path_factory.getbasetemp() / f"{type(self).__module__}.{type(self).__qualname__}"
        loaded = registry("stage", self.stage)

        def plan(*overrides: str, folder: Path = own) -> tuple[Plan, Backend, Store]:
            if (folder, *overrides) not in _RECIPES:
                write_recipe(folder, self.recipe)
                for name, text in self.files.items():
                    (folder / name).write_text(text, encoding="utf-8")
                _RECIPES[folder, *overrides] = read_recipe(folder, loaded, *overrides)
            monkeypatch.chdir(folder)
            return make(folder, loaded, _RECIPES[folder, *overrides])

        return plan

    def calls(self, plan: Plan) -> list[StageCall]:
        found = [call for call in plan.calls if call.stage == self.stage.name]
        assert found, f"the recipe asks for no call of `{self.stage.name}`"
        return found

    def params(self) -> type[BaseModel]:
        """The model of its parameters: `Params` in its module, or beside it."""
        found: type[BaseModel] = importlib.import_module(self.stage.__module__).Params
        return found

    def test_its_version_is_a_number_and_its_environment_exists(self, planned: Planned) -> None:
        version = self.stage.version
        assert type(version) is int, f"the version is {version!r}"
        assert version >= 1, "versions count from 1"
        (plan, _, _), known = planned(), {self.stage.environment, *getattr(self.stage, "other_environments", ())}
        for call in self.calls(plan):
            assert call.environment.name in known, f"{call.label} runs in {call.environment.name}, not in {known}"

    def test_its_calls_are_labelled_by_its_name(self, planned: Planned) -> None:
        labels = [call.label for call in self.calls(planned()[0])]
        assert len(set(labels)) == len(labels)
        for label in labels:
            assert label.partition(":")[0] == self.stage.name, f"{label} is no label of `{self.stage.name}`"

    def test_a_plan_is_the_same_again_and_writes_nothing(self, planned: Planned) -> None:
        first = planned()[0]
        before = _tree(Path.cwd())
        assert _keys(self.calls(planned()[0])) == _keys(self.calls(first))
        assert _tree(Path.cwd()) == before, "a plan writes files"

    def test_a_plan_is_cheap(self, planned: Planned) -> None:
        planned()  # what is imported once is not counted
        began = time.process_time()
        planned()
        assert time.process_time() - began < SECONDS

    def test_its_params_are_frozen_and_closed(self, planned: Planned) -> None:
        model = self.params()
        assert_closed(model)
        for call in self.calls(planned()[0]):
            assert model.model_validate(call.params).model_dump(mode="json") == call.params
            with pytest.raises(ValidationError, match="no_such_parameter"):
                model.model_validate({**call.params, "no_such_parameter": 1})

    def test_every_value_of_its_params_is_in_the_key(self, planned: Planned) -> None:
        for call in self.calls(planned()[0]):
            assert_values_in_key(call)

    def test_what_matters_changes_a_key_and_nothing_else_does(self, planned: Planned) -> None:
        assert self.matter, "name at least one override in `matter` that changes what the stage makes"
        before = _keys(self.calls(planned()[0]))
        for override in self.matter:
            assert _keys(self.calls(planned(override)[0])) != before, f"{override} changes no key"
        for override in self.do_not_matter:
            assert _keys(self.calls(planned(override)[0])) == before, f"{override} changes a key"

    def test_it_runs_and_makes_the_same_again(self, planned: Planned, tmp_path: Path) -> None:
        if not self.runs:
            return
        made = []
        for name in ("one", "two"):
            plan, backend, store = planned(folder=tmp_path / name)
            run_calls(_with_inputs(plan, self.calls(plan)), backend, store)
            made.append([_tree(store.artifact(call.ref)) for call in self.calls(plan)])
        assert made[0]
        assert made[0] == made[1] or not self.repeats, "the same call has written other files"


def assert_values_in_key(call: StageCall) -> None:
    """Every value at every depth of a call's parameters changes its key."""
    for path in fuzz_inputs.paths(call.params):
        other = fuzz_inputs.replaced(call.params, path, fuzz_inputs.perturbed(fuzz_inputs.at(call.params, path)))
        changed = StageCall(**call.model_copy(update={"params": other}).model_dump())
        assert changed.key != call.key, f"{call.label}: {path}"


def _with_inputs(plan: Plan, calls: Sequence[StageCall]) -> list[StageCall]:
    """Calls with all that they work on, in the order of the plan."""
    wanted = {call.ref for call in calls}
    for call in reversed(plan.calls):
        wanted |= set(call.inputs.values()) if call.ref in wanted else set()
    return [call for call in plan.calls if call.ref in wanted]


def _keys(calls: Sequence[StageCall]) -> dict[str, str]:
    return {call.label: call.key for call in calls}


def _tree(folder: Path) -> dict[str, str]:
    """Digests of the files in a folder; a manifest tells the time."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}
