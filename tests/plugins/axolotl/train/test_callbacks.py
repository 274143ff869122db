"""What the callback inside the trainer does, without the trainer."""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from ftrun.api.context import StopRequest
from ftrun.api.errors import StageError

STUBS: dict[str, dict[str, type]] = {
    "axolotl": {},
    "axolotl.integrations": {},
    "axolotl.integrations.base": {"BasePlugin": object},
    "transformers": {"TrainerCallback": object},
}


@pytest.fixture
def progress(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module that runs inside the trainer, over stubs of what it derives from."""
    for name, values in STUBS.items():
        module = ModuleType(name)
        module.__dict__.update(values)
        monkeypatch.setitem(sys.modules, name, module)
    spec = find_spec("ftrun_plugins.axolotl.train.callbacks")
    assert spec is not None
    assert spec.loader is not None
    loaded = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, loaded)
    spec.loader.exec_module(loaded)
    return loaded


def end_training(progress: Any, steps: int) -> None:
    callback = progress.ProgressCallback(progress.CallbackState(None, StopRequest()), losses=None)
    callback.on_train_end(None, SimpleNamespace(global_step=steps, is_world_process_zero=True), None)


def test_a_training_without_an_optimizer_step_fails(progress: Any) -> None:
    with pytest.raises(StageError) as caught:
        end_training(progress, 0)
    (problem,) = caught.value.problems
    assert problem.code == "not-trained"
    assert "micro_batch_size" in str(problem.hint)


def test_a_training_that_was_resumed_after_its_last_step_does_not(progress: Any) -> None:
    """Its process does no step, and `global_step` counts those of the earlier ones."""
    end_training(progress, 12)
