"""Runs ftrun's stage `check` on training parameters, without a model or with one, and prints its problems by name.

    trainer/bin/python check_configs.py CASES.json

A case is {"params": parameters of the stage, "model": folder of a model, or null}.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

from ftrun.api.context import Reporter, StageContext
from ftrun.api.errors import InvalidInput
from ftrun_plugins.axolotl.check.params import Params
from ftrun_plugins.axolotl.check.worker import check


def main() -> None:
    cases = json.loads(Path(sys.argv[1]).read_text())
    sys.argv = sys.argv[:1]
    logging.disable()
    print("\n" + json.dumps({name: check_case(**case) for name, case in cases.items()}))


def check_case(params: dict[str, Any], model: str | None) -> dict[str, Any]:
    """Return the problems and the warnings of a case."""
    with tempfile.TemporaryDirectory() as folder:
        events = Path(folder, "events.jsonl")
        (output := Path(folder, "output")).mkdir()
        inputs = {"model": Path(model)} if model else {}
        context = StageContext(output, Path(folder, "work"), inputs, {}, Reporter("check", events))
        try:
            check(Params.model_validate(params), context)
            problems = []
        except InvalidInput as error:
            problems = [problem.as_dict() for problem in error.problems]
        lines = events.read_text().splitlines() if events.exists() else []
        return {"problems": problems, "warnings": [json.loads(line).get("text") for line in lines]}


if __name__ == "__main__":
    main()
