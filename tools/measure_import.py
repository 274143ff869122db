"""Measure `ftrun import` on a folder of configurations of another tool.

    python tools/measure_import.py FOLDER [--json FILE]

Prints the number of files that are imported exactly, with notes, and refused, the frequent notes and refusals, and each
file that ftrun's own checks refuse. A file is exact if each of its keys is exact, or left out without an effect on the
training.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from ftrun.api.errors import InvalidInput
from ftrun_plugins.importing.commands import import_file

SUFFIXES = (".yaml", ".yml", ".json")


def measure(file: Path) -> dict[str, object]:
    """Return the result for one file."""
    try:
        draft, _, problems = import_file(file, Path("measured_recipe.yaml"))
    except InvalidInput as error:
        return {"result": "unknown", "notes": [], "problems": [problem.what for problem in error.problems]}
    notes = [f"{entry.outcome} {entry.key}: {entry.reason}" for entry in draft.of("changed", "check")]
    refused = [entry.key for entry in draft.of("refused")]
    result = "refused" if problems else "with notes" if notes else "exact"
    return {"result": result, "notes": notes, "refused": refused, "problems": [problem.what for problem in problems]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path, help="write the result of each file to this file")
    arguments = parser.parse_args()
    files = sorted(file for file in arguments.folder.rglob("*") if file.suffix in SUFFIXES and file.is_file())
    results = {str(file.relative_to(arguments.folder)): measure(file) for file in files}
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1), encoding="utf-8")
    print(json.dumps(Counter(str(result["result"]) for result in results.values())))
    for name, result in results.items():
        print(f"{result['result']!s:<10} {name}")
        for text in (*list(result["notes"]), *list(result["problems"])):  # type: ignore[call-overload]
            print(f"             {text}")


if __name__ == "__main__":
    main()
