"""What completion needs to know of verbs, keys and parts, kept in a file until something that it was made of changes.

Finding it out imports every plugin, which takes a second; reading it takes milliseconds.
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


def index() -> Index:
    """The index, made anew where it is not there or stale."""
    file = _file()
    try:
        found: Index = json.loads(file.read_bytes())
        if all(_stamp(Path(path)) == stamp for path, stamp in found["made_of"].items()):
            return found
    except (OSError, ValueError, KeyError, AttributeError):
        pass
    from ftrun.cli.completion.build import made
    from ftrun.utils.atomic_io import write_bytes

    new = made()
    new["made_of"] = {str(path): _stamp(path) for path in (*new["made_of"], *_places())}
    with suppress(OSError):  # a cache that cannot be written is done without
        write_bytes(file, json.dumps(new).encode())
    return new


def _file() -> Path:
    """One for each environment that ftrun is installed in."""
    from platformdirs import user_cache_path

    what = [__version__, sys.prefix, __file__, os.environ.get("FTRUN_DISABLE_PLUGINS", "")]
    name = hashlib.sha256("\n".join(what).encode()).hexdigest()[:16]
    return user_cache_path("ftrun") / "completion" / f"{name}.json"


def _places() -> list[Path]:
    """The folders that change when a package is installed or uninstalled."""
    return [path for path in map(Path, sys.path) if path.name in ("site-packages", "dist-packages") and path.is_dir()]


def _stamp(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
