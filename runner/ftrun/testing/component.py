"""Contract of all components: valid name, class that other processes can load, closed options, light import."""

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

# These packages take long to import, so a component may only import them in the functions that use them.
HEAVY = {
    "torch", "transformers", "datasets", "axolotl", "vllm", "tensorflow", "jax", "modal", "gradio", "pandas", "numpy",
    "pyarrow", "scipy", "sklearn",
}  # fmt: skip
_PRINT_IMPORTS = (
    "import importlib, json, sys; importlib.import_module(sys.argv[1]); print(json.dumps(sorted(sys.modules)))"
)


class ComponentContract:
    """Base class of all contracts. `options` are the options with which the tests use the component."""

    kind: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = {}

    @property
    def component(self) -> Any:
        """The class under test, which is in the attribute with the name of its kind."""
        return getattr(self, self.kind)

    def make_options(self) -> Any:
        return self.component.Options.model_validate(dict(self.options))

    def test_it_can_be_registered(self) -> None:
        fault = find_fault(self.kind, self.component)
        assert fault is None, f"{self.component} {fault}"

    def test_another_process_finds_its_class(self) -> None:
        cls = self.component
        implementation = f"{cls.__module__}:{cls.__qualname__}"
        try:
            loaded = load(implementation)
        except (ImportError, AttributeError) as error:
            pytest.fail(f"a stage process cannot load {implementation}: {error}")
        assert loaded is cls, f"{implementation} is a different class"
        assert pickle.loads(pickle.dumps(cls)) is cls  # noqa: S301  (pickled in this line)

    def test_its_options_are_frozen_and_closed(self) -> None:
        if "Options" in MEMBERS[self.kind]:
            assert_closed(self.component.Options)

    def test_its_options_survive_json(self) -> None:
        """A plan stores options as JSON, and the stage parses them."""
        if "Options" not in MEMBERS[self.kind]:
            return
        options = self.make_options()
        text = json.dumps(options.model_dump(mode="json", by_alias=True))
        parsed = type(options).model_validate(json.loads(text))
        assert parsed == options, f"parsing {text} gives other options"

    def test_importing_it_is_light(self) -> None:
        path = os.pathsep.join(filter(None, sys.path))
        command = [sys.executable, "-c", _PRINT_IMPORTS, self.component.__module__]
        process = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path}
        )
        assert process.returncode == 0, process.stderr
        heavy = HEAVY.intersection(json.loads(process.stdout.splitlines()[-1]))
        names = ", ".join(sorted(heavy))
        assert not heavy, f"{self.component.__module__} imports {names}; import it in the function that uses it"


def assert_closed(model: type[BaseModel]) -> None:
    """Assert that a model is frozen and rejects unknown keys, as required of every value in a key."""
    assert model.model_config.get("extra") == "forbid", f"{model.__qualname__} accepts unknown keys"
    assert model.model_config.get("frozen") is True, f"{model.__qualname__} is not frozen"
    with pytest.raises(ValidationError, match="no_such_option"):
        model.model_validate({"no_such_option": 1})


def assert_one_line(text: object, label: str, max_characters: int = 400) -> None:
    """Assert that a message is one line of text, not empty, and not longer than `max_characters`."""
    assert isinstance(text, str), f"{label} is {type(text).__name__}, not a text"
    assert text.strip(), f"{label} is empty"
    assert "\n" not in text, f"{label} has several lines: {text[:max_characters]!r}"
    assert len(text) <= max_characters, (
        f"{label} has {len(text)} characters, more than {max_characters}: {text[:max_characters]!r}"
    )
