"""Where this machine's store is. Light, for shell completion asks it at every key."""

from __future__ import annotations

import os
from pathlib import Path


def default_root() -> Path:
    """The folder in `FTRUN_STORE`, else `ftrun` in the user's data folder."""
    from platformdirs import user_data_path

    named = os.environ.get("FTRUN_STORE")
    return Path(named).absolute() if named else user_data_path("ftrun")
