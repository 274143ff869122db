"""What travels to Modal: ftrun and the plugins as source, what the plugins need as pins, and a digest of it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

from ftrun.plugins.entry_points import enabled
from ftrun.utils.digests import digest, sha256_of

OWN = ("ftrun", "ftrun_plugins")


def packages() -> tuple[str, ...]:
    """Top-level packages that are added to every image."""
    return (*OWN, *sorted({_top(entry) for entry in _entries()} - set(OWN)))


def modules() -> tuple[str, ...]:
    """The modules of other packages' plugins, by which containers load them."""
    return tuple(sorted({entry.value.partition(":")[0] for entry in _entries()}))


def requirements() -> tuple[str, ...]:
    """What the plugins' distributions ask for, each as it is installed here; ftrun itself travels as source."""
    wanted = {name for entry in _entries() if entry.dist is not None for name in _required(entry.dist)}
    return tuple(sorted(f"{name}=={installed}" for name in wanted if (installed := _installed(name))))


def code_digest() -> str:
    """Of the source that travels."""
    return digest({name: _source(name) for name in packages()})


def _entries() -> Iterator[EntryPoint]:
    yield from enabled()


def _top(entry: EntryPoint) -> str:
    return entry.value.partition(":")[0].partition(".")[0]


def _required(distribution: Distribution) -> Iterator[str]:
    for text in distribution.requires or ():
        requirement = Requirement(text)
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if applies and requirement.name.lower() != "ftrun":
            yield requirement.name.lower()


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@cache
def _source(package: str) -> dict[str, str]:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    if not spec.submodule_search_locations:
        return {Path(spec.origin).name: sha256_of(Path(spec.origin))}
    root = Path(spec.origin).parent
    return {file.relative_to(root).as_posix(): sha256_of(file) for file in sorted(root.rglob("*.py"))}
