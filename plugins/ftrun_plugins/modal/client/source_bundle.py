"""Code that is sent to Modal: ftrun and plugins as source, their digest, and the pinned requirements of plugins."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

from ftrun.plugins.entry_points import enabled
from ftrun.utils.digests import digest, sha256_of

OWN_PACKAGES = ("ftrun", "ftrun_plugins")
PATTERNS = ("**/*.py", "**/*.html", "**/*.css")  # files of packages that are sent: modules and templates


def packages() -> tuple[str, ...]:
    """Return the top-level packages that are added to every image."""
    return (*OWN_PACKAGES, *sorted({_top_level_package(entry) for entry in _entries()} - set(OWN_PACKAGES)))


def modules() -> tuple[str, ...]:
    """Return the modules of plugins from other packages, for containers to load."""
    return tuple(sorted({entry.value.partition(":")[0] for entry in _entries()}))


def requirements() -> tuple[str, ...]:
    """Return the requirements of the plugins' distributions, pinned to the installed versions.

    They do not include ftrun, which is sent as source.
    """
    names = {name for entry in _entries() if entry.dist is not None for name in _required_names(entry.dist)}
    return tuple(sorted(f"{name}=={pinned}" for name in names if (pinned := _installed_version(name))))


def code_digest() -> str:
    """Return the digest of the source that is sent."""
    return digest({name: _file_digests(name) for name in packages()})


def _entries() -> Iterator[EntryPoint]:
    yield from enabled()


def _top_level_package(entry: EntryPoint) -> str:
    return entry.value.partition(":")[0].partition(".")[0]


def _required_names(distribution: Distribution) -> Iterator[str]:
    for text in distribution.requires or ():
        requirement = Requirement(text)
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if applies and requirement.name.lower() != "ftrun":
            yield requirement.name.lower()


def _installed_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@cache
def _file_digests(package: str) -> dict[str, str]:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    if not spec.submodule_search_locations:
        return {Path(spec.origin).name: sha256_of(Path(spec.origin))}
    root = Path(spec.origin).parent
    files = (file for pattern in PATTERNS for file in sorted(root.glob(pattern)))
    return {file.relative_to(root).as_posix(): sha256_of(file) for file in files}
