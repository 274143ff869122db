"""Runs the comparisons of the stage `parity` on folders of one's own, and prints what differs.

server_cpu/bin/python compare_outputs.py PROJECT WORK {"what": …, "engine": …, "inputs": {role: folder}}
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    project, work, asked = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
    sys.path[:0] = [str(project / "runner"), str(project / "plugins")]
    from ftrun.api.context import Reporter, StageContext
    from ftrun_plugins.parity.params import Params
    from ftrun_plugins.parity.worker import compare

    work.mkdir(parents=True, exist_ok=True)
    inputs = {role: Path(folder) for role, folder in asked["inputs"].items()}
    context = StageContext(work, work, inputs, {}, Reporter("parity", work / "events.jsonl"))
    template = asked.get("template", {})
    params = Params(what=asked["what"], engine=asked["engine"], trust_remote_code=False, template=template)
    found, problems = compare(params, context)
    problems_shown = [{"what": one.what, "where": one.at, "expected": one.expected} for one in problems]
    print(json.dumps({"found": found, "problems": problems_shown}))


if __name__ == "__main__":
    main()
