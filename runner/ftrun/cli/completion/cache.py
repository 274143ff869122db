"""Cache of the completion index: verbs, keys and values. It is rebuilt if a file that it depends on changes.

Building the index imports every plugin, which takes a second; reading it takes milliseconds.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from ftrun import __version__

Index = dict[str, Any]


def load_index() -> Index:
    """Return the index. Builds it first if there is none or it is stale."""
    file = _locate_file()
    try:
        cached: Index = json.loads(file.read_bytes())
        if all(_read_mtime(Path(path)) == mtime for path, mtime in cached["made_of"].items()):
            return cached
    except (OSError, ValueError, KeyError, AttributeError):
        pass
    from ftrun.cli.completion.build import build_index
    from ftrun.utils.atomic_io import write_bytes

    new = build_index()
    new["made_of"] = {str(path): _read_mtime(path) for path in (*new["made_of"], *_find_package_folders())}
    with suppress(OSError):  # completion works without the cache, only slower
        write_bytes(file, json.dumps(new).encode())
    return new


def _locate_file() -> Path:
    """Return the path of the index file. Each environment that ftrun is installed in has a separate file."""
    from platformdirs import user_cache_path

    identity = [__version__, sys.prefix, __file__, os.environ.get("FTRUN_DISABLE_PLUGINS", "")]
    name = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:16]
    return user_cache_path("ftrun") / "completion" / f"{name}.json"


def _find_package_folders() -> list[Path]:
    """Return the folders that change when a package is installed or uninstalled."""
    return [path for path in map(Path, sys.path) if path.name in ("site-packages", "dist-packages") and path.is_dir()]


def _read_mtime(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
