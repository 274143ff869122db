"""Files of a composition, and the origin of each key: the file position or the override that set it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from ftrun.api.issues import KeyPath
from ftrun.recipe.overrides import key_of
from ftrun.recipe.yaml_files import Position, container_kinds, positions

GROUPS = ("model", "dataset", "optimizations", "evals", "serve", "backend", "environment", "recipe")


@dataclass(frozen=True)
class Layer:
    """One file of a composition.

    `package` is the key path under which Hydra puts the content of the file. `config` is Hydra's path of the file, such
    as `optimizations/lora`.
    """

    file: Path
    package: tuple[str, ...]
    config: str

    @cached_property
    def positions(self) -> dict[KeyPath, Position]:
        """Position of each key path of the recipe that the file sets."""
        return {(*self.package, *path): position for path, position in positions(self.file).items()}

    @cached_property
    def kinds(self) -> dict[KeyPath, type[yaml.Node]]:
        """Kind of the value at each key path that holds a mapping or a list."""
        return {(*self.package, *path): kind for path, kind in container_kinds(self.file).items()}


def find_origin(path: KeyPath, overrides: Sequence[str], layers: Sequence[Layer]) -> Position | str | None:
    """Return the override or file position that set this key, or None if nothing did."""
    for override in reversed(overrides):
        key = key_of(override)
        if tuple(map(str, path[: len(key)])) == key and not is_choice(key):
            return f"override {override}"
    for layer in reversed(layers):
        if path in layer.positions:
            return layer.positions[path]
    # An override of a key below this one may have created it.
    inner = [override for override in overrides if key_of(override)[: len(path)] == tuple(map(str, path))]
    return f"override {inner[-1]}" if inner else None


def find_nearest_origin(path: KeyPath, overrides: Sequence[str], layers: Sequence[Layer]) -> Position | str | None:
    """Return the override or file position that set a key, or its nearest parent if nothing set the key itself."""
    for length in range(len(path), 0, -1):
        origin = find_origin(path[:length], overrides, layers)
        if origin is not None:
            return origin
    return None


def is_choice(key: tuple[str, ...]) -> bool:
    """Return True for a key such as `model`: `model=x` chooses a file, and the values come from that file."""
    return len(key) == 1 and key[0] in GROUPS
