"""Package lists of environments by digest, so that the packages of a run are known after its environment changes."""

from __future__ import annotations

from pathlib import Path

from ftrun.api.paths import Store
from ftrun.utils.atomic_io import write_bytes


def save_packages(store: Store, digest: str, lock: Path) -> None:
    """Copy the lock file of an environment into the store, if it is not there yet."""
    target = store.packages(digest)
    if not target.exists() and lock.is_file():
        write_bytes(target, lock.read_bytes())


def load_packages(store: Store, digest: str) -> dict[str, str] | None:
    """Return package versions by name, or None if no run of this machine used the environment."""
    try:
        lines = store.packages(digest).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    pairs = (line.split(";")[0].split("#")[0].partition("==") for line in lines)
    return {name.strip(): version.strip().rstrip("\\").strip() for name, mark, version in pairs if mark}
