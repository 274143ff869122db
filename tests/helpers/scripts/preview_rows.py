"""Tokenizes examples as a preview does, by the light process or by the whole one.

trainer/bin/python preview_rows.py light|whole RUNNER PLUGINS REQUESTS.json ANSWERS.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    how, runner, plugins, requests, answers = sys.argv[1:]
    sys.argv = sys.argv[:1]  # axolotl reads the command line, too
    sys.path += [runner, plugins]
    if how == "light":
        from ftrun_plugins.axolotl.light import leave_out_torch

        leave_out_torch()
    from ftrun_plugins.axolotl.tokenize.preview_worker import look

    found = []
    for number, request in enumerate(json.loads(Path(requests).read_text())):
        work = Path(answers).with_suffix("") / str(number)
        try:
            found.append(look({**request, "work": str(work)}))
        except Exception as error:
            found.append({"raised": f"{type(error).__name__}: {error}"})
    torch = type(sys.modules["torch"]).__name__
    Path(answers).write_text(json.dumps({"torch": torch, "found": found}))


if __name__ == "__main__":
    main()
