"""What every part has to keep to: a usable name, a class that other processes find, closed options, a light import."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, ValidationError

from ftrun.api.context import load
from ftrun.plugins.validation import MEMBERS, find_fault

# Takes long to import, so it may be imported only where it is used.
HEAVY = {
    "torch", "transformers", "datasets", "axolotl", "vllm", "tensorflow", "jax", "modal", "gradio", "pandas", "numpy",
    "pyarrow", "scipy", "sklearn",
}  # fmt: skip
_IMPORTED = "import importlib, json, sys; importlib.import_module(sys.argv[1]); print(json.dumps(sorted(sys.modules)))"


class ComponentContract:
    """The base of every contract. `options` are those that the tests use the part with."""

    kind: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = {}

    @property
    def part(self) -> Any:
        """The class under test, by the attribute that is named for its kind."""
        return getattr(self, self.kind)

    def made_options(self) -> Any:
        return self.part.Options.model_validate(dict(self.options))

    def test_it_can_be_registered(self) -> None:
        fault = find_fault(self.kind, self.part)
        assert fault is None, f"{self.part} {fault}"

    def test_another_process_finds_its_class(self) -> None:
        cls = self.part
        implementation = f"{cls.__module__}:{cls.__qualname__}"
        try:
            found = load(implementation)
        except (ImportError, AttributeError) as error:
            pytest.fail(f"a stage process looks for {implementation} and does not find it: {error}")
        assert found is cls, f"{implementation} is another class"
        assert pickle.loads(pickle.dumps(cls)) is cls  # noqa: S301  (just made)

    def test_its_options_are_frozen_and_closed(self) -> None:
        if "Options" in MEMBERS[self.kind]:
            assert_closed(self.part.Options)

    def test_its_options_survive_json(self) -> None:
        """They are written into a plan and read again by the stage."""
        if "Options" not in MEMBERS[self.kind]:
            return
        options = self.made_options()
        text = json.dumps(options.model_dump(mode="json", by_alias=True))
        again = type(options).model_validate(json.loads(text))
        assert again == options, f"{text} reads as other options"

    def test_importing_it_is_light(self) -> None:
        path = os.pathsep.join(filter(None, sys.path))
        command = [sys.executable, "-c", _IMPORTED, self.part.__module__]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path}
        )
        assert done.returncode == 0, done.stderr
        heavy = HEAVY.intersection(json.loads(done.stdout.splitlines()[-1]))
        assert not heavy, f"{self.part.__module__} imports {', '.join(sorted(heavy))} at start: do it where it is used"


def assert_closed(model: type[BaseModel]) -> None:
    """A model whose values cannot be changed and whose unknown keys are errors, as everything in a key has to be."""
    assert model.model_config.get("extra") == "forbid", f"{model.__qualname__} takes unknown keys"
    assert model.model_config.get("frozen") is True, f"{model.__qualname__} can be changed"
    with pytest.raises(ValidationError, match="no_such_option"):
        model.model_validate({"no_such_option": 1})


def assert_one_line(text: object, what: str, longest: int = 400) -> None:
    """A reason for a person: a sentence of one line, neither empty nor endless."""
    assert isinstance(text, str), f"{what} is {type(text).__name__}, not a text"
    assert text.strip(), f"{what} is empty"
    assert "\n" not in text, f"{what} has several lines: {text[:longest]!r}"
    assert len(text) <= longest, f"{what} has {len(text)} characters, more than {longest}: {text[:longest]!r}"
