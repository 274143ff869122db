"""Section on the recipe: the command, the composed values and their origins."""

from __future__ import annotations

import shlex
from typing import Any

import yaml

from ftrun.report.run_data import RunData


def recipe(run: RunData) -> dict[str, Any]:
    return {
        "command": f"ftrun {shlex.join(run.record.overrides)}",
        "text": yaml.safe_dump(run.recipe, sort_keys=False, allow_unicode=True),
        "origins": [(path, origin) for path, origin in run.record.origins.items() if origin != "default"],
    }
