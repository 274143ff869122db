"""Collection of the consent items of a recipe, and of the items that the user gave or that installed packages ship."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from ftrun.api.config_dirs import ConfigFolders
from ftrun.api.consent import ConsentItem
from ftrun.api.issues import KeyPath
from ftrun.api.locks import pins
from ftrun.api.recipe import Environment, Recipe
from ftrun.plugins.manager import Plugins
from ftrun.recipe.compose import Composed
from ftrun.recipe.layers import Layer
from ftrun.utils.digests import digest
from ftrun.utils.package_data import find_data_folder

MISSING = object()
# Variables that neither load code, nor name a host, nor switch off a check.
HARMLESS = re.compile(
    r"(OMP|MKL|OPENBLAS|NUMEXPR)_NUM_THREADS|OMP_WAIT_POLICY|OMP_PROC_BIND|TOKENIZERS_PARALLELISM"
    r"|PYTORCH_(CUDA_)?ALLOC_CONF|CUDA_VISIBLE_DEVICES|CUDA_DEVICE_ORDER|CUDA_LAUNCH_BLOCKING|CUBLAS_WORKSPACE_CONFIG"
    r"|NCCL_(DEBUG|P2P_DISABLE|IB_DISABLE|SHM_DISABLE|SOCKET_IFNAME|ALGO|PROTO|NVLS_ENABLE)"
    r"|TORCH_NCCL_(ASYNC_ERROR_HANDLING|BLOCKING_WAIT)|HF_(HUB|DATASETS)_DISABLE_PROGRESS_BARS"
    r"|(AXOLOTL|VLLM_LOGGING|TRANSFORMERS|DATASETS)_(LOG_)?(LEVEL|VERBOSITY)"
    r"|VLLM_CPU_(KVCACHE_SPACE|OMP_THREADS_BIND)|VLLM_ATTENTION_BACKEND"
)


def find_consent_items(recipe: Recipe, plugins: Plugins) -> list[ConsentItem]:
    """Return everything in a recipe that needs consent, also what the user gave."""
    items = [item for name, declared in recipe.environment.items() for item in _environment_items(name, declared)]
    config = plugins.trainer_config(recipe)
    for group in plugins.hook.ftrun_consent_items(recipe=recipe, trainer_config=config):
        items += group
    return items


def _environment_items(name: str, declared: Environment) -> Iterator[ConsentItem]:
    path, image = ("environment", name), declared.image
    if "/" in declared.python:
        yield ConsentItem((*path, "python"), f"runs the interpreter {declared.python} for the environment `{name}`")
    if declared.lock is not None and (unknown := _unknown_packages(declared.lock)):
        what = f"installs and imports packages that ftrun's locks do not have: {', '.join(unknown)} ({declared.lock})"
        yield ConsentItem((*path, "lock"), what, digest(unknown))
    for variable, value in declared.variables.items():
        if not HARMLESS.fullmatch(variable):
            what = f"sets {variable}={value} in the processes of the environment `{name}`"
            yield ConsentItem((*path, "variables", variable), what)
    if declared.preload:
        modules = ", ".join(declared.preload)
        yield ConsentItem((*path, "preload"), f"imports {modules} in the processes of the environment `{name}`")
    if image.base is not None:
        yield ConsentItem((*path, "image", "base"), f"builds the containers of `{name}` on the image {image.base}")
    if image.system_packages:
        what = f"installs the system packages {', '.join(image.system_packages)} in the containers of `{name}`"
        yield ConsentItem((*path, "image", "system_packages"), what)


def _unknown_packages(lock: Path) -> list[str]:
    """Return the packages of a lock, with their versions, that no lock of ftrun has."""
    shipped = (file.read_text(encoding="utf-8") for file in find_data_folder("locks").glob("*.txt"))
    return sorted(pins(lock.read_text(encoding="utf-8")).difference(*map(pins, shipped)))


def is_overridden(path: KeyPath, composed: Composed) -> bool:
    """Return True if the user gave the value at a path as an override."""
    return composed.rank(path) >= len(composed.layers)


def is_shipped(path: KeyPath, composed: Composed, folders: Sequence[ConfigFolders]) -> bool:
    """Return True if a file of an installed package has the value at a path.

    The value is compared with that in the file, so that no way to write YAML makes a value of a recipe look like one of
    a package.
    """
    value = _value_at(composed.values, path)
    layers = [layer for layer in composed.layers if _is_in(layer.file, folders)]
    if path[0] == "environment":  # a recipe from a run record has no layers
        files = (folder.conf / "environment" / f"{path[1]}.yaml" for folder in folders if folder.conf)
        layers += [Layer(file, ("environment",), "") for file in files if file.is_file()]
    return value is not MISSING and any(_has_value(layer, path, value) for layer in layers)


def _is_in(file: Path, folders: Sequence[ConfigFolders]) -> bool:
    roots = [root.resolve() for folder in folders for root in (folder.conf, folder.recipes) if root]
    return any(file.resolve().is_relative_to(root) for root in roots)


def _has_value(layer: Layer, path: KeyPath, value: Any) -> bool:
    if path[: len(layer.package)] != layer.package:
        return False
    content = yaml.safe_load(layer.file.read_text(encoding="utf-8"))
    found = _value_at(content, path[len(layer.package) :])
    return found is not MISSING and found == value


def _value_at(values: Any, path: KeyPath) -> Any:
    for part in path:
        if not isinstance(values, dict) or part not in values:
            return MISSING
        values = values[part]
    return values
