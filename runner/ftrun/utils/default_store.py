"""Location of this machine's store. Imports little, because shell completion uses it at every key press."""

from __future__ import annotations

import os
from pathlib import Path


def default_root() -> Path:
    """Return the folder in `FTRUN_STORE`, else `ftrun` in the user's data folder."""
    from platformdirs import user_data_path

    folder = os.environ.get("FTRUN_STORE")
    return Path(folder).expanduser().absolute() if folder else user_data_path("ftrun")
