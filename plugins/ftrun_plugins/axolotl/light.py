"""Lets axolotl's tokenizing be imported without torch, whose import alone takes longer than a preview may.

Nothing of what makes token ids of a text computes with tensors: axolotl's modules only name torch in annotations, base
classes and questions about GPUs. Those names get stand-ins, which are false, empty and callable. transformers, which
knows how to do without torch, is told that there is none. All else is the very code that training uses; where it does
need what stands in, it fails, and whoever asked has to do it again with the real packages.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

from ftrun_plugins.axolotl.import_map import Remembering

# What computes with tensors, and what transformers must not find.
WITHOUT = ("torch", "torchvision", "torchao", "accelerate", "peft", "trl", "deepspeed", "bitsandbytes", "triton")
# What axolotl imports beside it and does not use for a row: tables, compiled loops, GPUs, telemetry, downloads.
UNUSED = ("datasets", "pandas", "numba", "pynvml", "posthog", "aiohttp", "requests", "xformers")
UNUSED_MODULES = ("axolotl.utils.trainer", "axolotl.telemetry", "transformers.trainer", "transformers.trainer_pt_utils")
COMMAND_LINE = "httpx._main"  # that of httpx, which does without where its packages are not installed


class _Nothing(type):
    """The class of the stand-in: every name in it is itself again, and every call of it too."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing

    def __call__(cls, *values: Any, **named: Any) -> Any:
        if cls is not Nothing:
            return super().__call__(*values, **named)
        if len(values) == 1 and callable(values[0]) and values[0] is not Nothing:
            return values[0]  # as a decorator it changes nothing
        return Nothing

    def __bool__(cls) -> bool:
        return False

    def __or__(cls, other: Any) -> Any:
        return cls

    def __ror__(cls, other: Any) -> Any:
        return cls

    def __getitem__(cls, index: Any) -> Any:
        return cls

    def __iter__(cls) -> Iterator[Any]:
        return iter(())

    def __lt__(cls, other: Any) -> bool:
        return False

    def __ge__(cls, other: Any) -> bool:
        return False


class Nothing(metaclass=_Nothing):
    """Stands in for whatever a module that is not there would have."""


class _Module(ModuleType):
    __path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a stand-in for each module that is left out."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        top = fullname.partition(".")[0]
        inside = any(f"{fullname}.".startswith(f"{name}.") for name in UNUSED_MODULES)
        if top not in WITHOUT and top not in UNUSED and not inside:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        if "." not in module.__name__:
            module.__dict__["__version__"] = importlib.metadata.version(module.__name__)
        if module.__name__ == "torch":
            module.__dict__["cuda"] = importlib.import_module("torch.cuda")
        if module.__name__ == "torch.cuda":
            module.__dict__.update(get_device_properties=_no_gpu, get_device_capability=_no_gpu)


def _no_gpu(*values: Any) -> None:
    raise RuntimeError("there is no GPU here")


def leave_out_torch() -> None:
    """Has to be called before anything imports transformers or axolotl."""
    for name in (*WITHOUT, COMMAND_LINE):
        sys.modules[name] = None  # type: ignore[assignment]  # so that it is not found
    sys.meta_path.insert(0, Remembering())
    # transformers asks for it as it is imported, which reads the metadata of every package that is installed
    mapping, importlib.metadata.packages_distributions = importlib.metadata.packages_distributions, dict
    try:
        there = importlib.import_module("transformers.utils.import_utils")
    finally:
        importlib.metadata.packages_distributions = mapping
    for asks in (there.is_torch_available, there.is_accelerate_available, there.is_peft_available):
        asks()  # and remembers the answer
    for name in WITHOUT:
        del sys.modules[name]
    sys.meta_path.insert(0, StandIns())
