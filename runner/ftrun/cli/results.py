"""What a finished run ends with: the evaluation as a table, where the model is, and what to do next."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ftrun.execute.run import read_plan
from ftrun.store.artifacts import find
from ftrun.store.layout import RunFolder, Store


def ending(store: Store, folder: RunFolder) -> str:
    """The last screen of a run."""
    plan = read_plan(folder)
    made = {call.label: store.artifact(call.ref) for call in plan.calls if find(store, call.ref)}
    lines: list[str] = []
    if "evaluate" in made:
        lines += ["", *evaluation_table(json.loads((made["evaluate"] / "evaluation.json").read_text()))]
    model = made.get("merge") or made.get("train")
    if model:
        lines += ["", f"model    {model}"]
    if "merge" in made and "train" in made:
        lines.append(f"adapter  {made['train']}")
    if "evaluate" in made:
        lines.append(f"samples  {made['evaluate'] / 'samples.jsonl'}")
    lines += [
        "",
        f"next     ftrun show {folder.id}",
        f"         ftrun logs {folder.id} train" if "train" in made else "",
    ]
    return "\n".join(lines).rstrip()


def evaluation_table(evaluation: dict[str, Any]) -> Iterator[str]:
    """One line an evaluation, as plain text that also reads well in a pipe."""
    yield f"{'evaluation':<20} {'rows':>5} {'base':>9} {'tuned':>9} {'gain':>9}  {'95 % interval':<18} verdict"
    for name, result in evaluation.items():
        tuned, gain, interval = result.get("tuned"), result.get("gain"), result.get("interval")
        between = f"{interval[0]:+.3f} to {interval[1]:+.3f}" if interval else ""
        verdict = result.get("verdict", "")
        numbers = f"{_number(result['base'])} {_number(tuned)} {_number(gain, sign=True)}"
        yield f"{name:<20} {result['rows']:>5} {numbers}  {between:<18} {verdict}".rstrip()
        for rule in result.get("gate", ()):
            yield f"{'':<20} gate {rule['rule']} {rule['limit']}: {'met' if rule['met'] else 'not met'}"


def _number(value: float | None, sign: bool = False) -> str:
    return f"{'':>9}" if value is None else f"{value:>+9.3f}" if sign else f"{value:>9.3f}"


def log_files(folder: RunFolder) -> list[Path]:
    """The logs of a run's calls, in the order in which they were begun."""
    return sorted((folder.root / "logs").glob("*.log"), key=lambda path: path.stat().st_ctime)
