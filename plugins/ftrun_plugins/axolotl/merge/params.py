"""Parameters of the stage `merge`."""

from __future__ import annotations

from typing import Any

from ftrun.api.recipe import Frozen


class Params(Frozen):
    """Trainer keys that a merge reads. Other properties of the adapter come from its own files."""

    trainer: dict[str, Any]
    trust_remote_code: bool
