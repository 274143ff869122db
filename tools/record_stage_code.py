"""Record the code of each stage, so that a test notices a change of the code without a new version.

    python tools/record_stage_code.py

Before that, raise the `version` of each stage whose output may now differ: a version is the part of the key that stands
for the code. A stage whose output stays the same keeps its version.
"""

from __future__ import annotations

import json
from pathlib import Path

from ftrun.plugins.manager import plugins
from ftrun.utils.code_digest import source_digest

SHIPPED = "ftrun_plugins."
RECORD = Path(__file__).resolve().parents[1] / "tests" / "stage_code.json"


def find_stage_code() -> dict[str, dict[str, int | str]]:
    """Return the version and a digest of the code of each stage that comes with ftrun, by its name."""
    registered = plugins().of_kind("stage")
    stages = {name: registered[name].cls for name in sorted(registered)}
    return {
        name: {"version": cls.version, "code": source_digest(cls)}
        for name, cls in stages.items()
        if cls.__module__.startswith(SHIPPED)
    }


if __name__ == "__main__":
    RECORD.write_text(json.dumps(find_stage_code(), indent=1) + "\n")
