"""Scores answers with evaluators whose libraries only their environment has, and prints the scores.

server_cpu/bin/python score_answers.py PROJECT [["module:Class", OPTIONS, PREDICTION, REFERENCE], …]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    project, wanted = Path(sys.argv[1]), json.loads(sys.argv[2])
    sys.path[:0] = [str(project / "runner"), str(project / "plugins")]
    from ftrun.api.context import load

    found: list[object] = []
    for implementation, options, prediction, reference in wanted:
        cls = load(implementation)
        try:
            found.append(cls().score(prediction, reference, {}, cls.Options.model_validate(options)))
        except ValueError as error:
            found.append(str(error))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
