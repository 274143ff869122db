"""The packages of environments by the environments' digests, so that runs can tell later what theirs were."""

from __future__ import annotations

from pathlib import Path

from ftrun.api.paths import Store
from ftrun.utils.atomic_io import write_bytes


def save_packages(store: Store, digest: str, lock: Path) -> None:
    """Copies an environment's lock, once."""
    target = store.packages(digest)
    if not target.exists() and lock.is_file():
        write_bytes(target, lock.read_bytes())


def load_packages(store: Store, digest: str) -> dict[str, str] | None:
    """Versions by name; None where this machine began no run with that environment."""
    try:
        lines = store.packages(digest).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    pairs = (line.split(";")[0].split("#")[0].partition("==") for line in lines)
    return {name.strip(): version.strip().rstrip("\\").strip() for name, mark, version in pairs if mark}
