"""What a finished run ends with: the evaluation as a table, where the model is, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ftrun.api.paths import RunFolder, Store
from ftrun.api.stage_call import Ref
from ftrun.execution.engine import read_recipe
from ftrun.report.number_format import number
from ftrun.store.runs import RunRecord, load


def summary_text(store: Store, folder: RunFolder) -> str:
    """The last screen of a run."""
    record = load(folder)
    made = {label: Ref.parse(result["artifact"]) for label, result in record.results.items()}
    lines: list[str] = []
    if "evaluate" in made:
        found = record.results["evaluate"]["metrics"]["evaluation"]  # in the order of the recipe, which records lose
        lines += ["", *evaluation_table({name: found[name] for name in read_recipe(folder).evals if name in found})]
    model = made.get("merge") or made.get("train")
    if model:
        lines += ["", f"model    {_where(store, record, model)}"]
    if "merge" in made and "train" in made:
        lines.append(f"adapter  {_where(store, record, made['train'])}")
    if "evaluate" in made:
        lines.append(f"samples  {_where(store, record, made['evaluate'])}/samples.jsonl")
    if folder.report.exists():
        lines.append(f"report   {folder.report}")
    if record.cost is not None:
        lines.append(f"cost     ${record.cost:.2f}")
    nexts = [f"ftrun show {folder.id}", *(f"ftrun logs {folder.id} train" for _ in made if _ == "train")]
    if model:
        nexts.insert(0, f"ftrun serve {folder.id}")
    if record.remote and model:
        nexts.insert(1, f"ftrun pull {folder.id}")
    return "\n".join([*lines, "", *(f"{'next' if not n else '':<8} {text}" for n, text in enumerate(nexts))]).rstrip()


def _where(store: Store, record: RunRecord, ref: Ref) -> str:
    """A folder of this machine, or the place of an artifact in a store elsewhere."""
    return f"{record.backend}:{Store(Path('/')).artifact(ref)}" if record.remote else str(store.artifact(ref))


def evaluation_table(evaluation: Mapping[str, Any], title: str = "evaluation") -> Iterator[str]:
    """One line an evaluation, as plain text that also reads well in a pipe."""
    yield f"{title:<20} {'rows':>5} {'base':>9} {'tuned':>9} {'gain':>9}  {'95 % interval':<18} verdict"
    for name, result in evaluation.items():
        tuned, gain, interval = result.get("tuned"), result.get("gain"), result.get("interval")
        between = " to ".join(_number(end, sign=True).strip() for end in interval) if interval else ""
        verdict = result.get("verdict", "")
        numbers = f"{_number(result.get('base'))} {_number(tuned)} {_number(gain, sign=True)}"
        yield f"{name:<20} {result['rows']:>5} {numbers}  {between:<18} {verdict}".rstrip()
        for rule in result.get("gate", ()):
            yield f"{'':<20} gate {rule['rule']} {rule['limit']}: {'met' if rule['met'] else 'not met'}"


def _number(value: float | None, sign: bool = False) -> str:
    """JSON has no NaN: a record holds null for it."""
    return f"{'' if value is None else number(float(value), sign):>9}"


def log_files(folder: RunFolder) -> list[Path]:
    """The logs of a run's calls, in the order in which they were begun."""
    return sorted((folder.root / "logs").glob("*.log"), key=lambda path: path.stat().st_ctime)
