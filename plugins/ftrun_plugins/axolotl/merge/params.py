"""Parameters of the stage `merge`."""

from __future__ import annotations

from typing import Any

from ftrun.api.recipe import Frozen


class Params(Frozen):
    """The adapter's kind; its sizes are read from the adapter itself."""

    trainer: dict[str, Any]
    trust_remote_code: bool
