"""Final output of a run: the evaluation as a table, the place of the model, and commands to use next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

from ftrun.api.artifacts import Evaluations
from ftrun.api.errors import InvalidInput
from ftrun.api.paths import RunFolder, Store
from ftrun.api.stage_call import Ref
from ftrun.report.evaluation_details import evaluation_details, gate_text
from ftrun.report.number_format import number
from ftrun.store.run_plan import read_recipe_values
from ftrun.store.runs import RunRecord, load

MOST_SLICES = 6  # of an evaluation
DETAIL_WIDTH = 88  # characters, as wide as the table


def summary_text(store: Store, folder: RunFolder) -> str:
    """Return the final output of a run."""
    record = load(folder)
    artifacts = {label: Ref.parse(result["artifact"]) for label, result in record.results.items()}
    lines: list[str] = []
    if "evaluate" in artifacts:
        results = record.evaluation  # records do not keep the recipe's order
        lines += ["", *evaluation_table({name: results[name] for name in _list_evaluations(folder, results)})]
    model = artifacts.get("merge") or artifacts.get("train")
    if model:
        lines += ["", f"model    {_locate(store, record, model)}"]
    if "merge" in artifacts and "train" in artifacts:
        lines.append(f"adapter  {_locate(store, record, artifacts['train'])}")
    if "evaluate" in artifacts:
        lines.append(f"samples  {_locate(store, record, artifacts['evaluate'])}/{Evaluations.SAMPLES}")
    if folder.report.exists():
        lines.append(f"report   {folder.report}")
    if record.cost is not None:
        lines.append(f"cost     ${record.cost:.2f}")
    commands = [f"ftrun show {folder.id}"]
    if "train" in artifacts:
        commands.append(f"ftrun logs {folder.id} train")
    if model:
        commands.insert(0, f"ftrun serve {folder.id}")
    if record.remote and model:
        commands.insert(1, f"ftrun pull {folder.id}")
    commands = [f"{'' if number else 'next':<8} {command}" for number, command in enumerate(commands)]
    return "\n".join([*lines, "", *commands]).rstrip()


def _list_evaluations(folder: RunFolder, results: Mapping[str, Any]) -> list[str]:
    """Return the names of the results in the order of the recipe, if it can be read."""
    try:
        names = list(read_recipe_values(folder).get("evals", {}))
    except InvalidInput:
        names = []
    return [name for name in dict.fromkeys([*names, *results]) if name in results]


def _locate(store: Store, record: RunRecord, ref: Ref) -> str:
    """Return the folder of an artifact on this machine, or `BACKEND:PATH` in the store of a remote backend."""
    return f"{record.backend}:{Store(Path('/')).artifact(ref)}" if record.remote else str(store.artifact(ref))


def evaluation_table(evaluation: Mapping[str, Any], title: str = "evaluation") -> Iterator[str]:
    """Yield a header and one line per evaluation, as plain text that is also readable in a pipe."""
    yield f"{title:<20} {'rows':>5} {'base':>9} {'tuned':>9} {'gain':>9}  {'95 % interval':<18} verdict"
    for name, result in evaluation.items():
        tuned, gain, interval = result.get("tuned"), result.get("gain"), result.get("interval")
        interval_text = " to ".join(_format_number(end, sign=True).strip() for end in interval) if interval else ""
        verdict = result.get("verdict", "")
        numbers = f"{_format_number(result.get('base'))} {_format_number(tuned)} {_format_number(gain, sign=True)}"
        yield f"{name:<20} {result.get('rows', 0):>5} {numbers}  {interval_text:<18} {verdict}".rstrip()
        details = "; ".join(evaluation_details(result))
        yield from (f"{'':<20} {line}" for line in wrap(details, DETAIL_WIDTH))
        yield from _slice_lines(result.get("slices", ()))
        for rule in result.get("gate", ()):
            yield f"{'':<20} {gate_text(rule)}"


def _slice_lines(slices: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the slices with the largest losses."""
    for part in slices[:MOST_SLICES]:
        interval = part.get("interval")
        between = " to ".join(_format_number(end, sign=True).strip() for end in interval) if interval else ""
        counts = f"{part.get('wins', 0)} wins, {part.get('losses', 0)} losses of {part.get('rows', 0)}"
        gain = _format_number(part.get("gain"), sign=True).strip()
        text = f"{part.get('by')} {part.get('slice')}: {counts}, {gain} ({between}) {part.get('verdict') or ''}"
        yield f"{'':<20} {text}".rstrip()
    if len(slices) > MOST_SLICES:
        yield f"{'':<20} {len(slices) - MOST_SLICES} more slices: see the report"


def _format_number(value: float | None, sign: bool = False) -> str:
    """Format a number for the table. None gives blanks: it stands for NaN, which JSON cannot represent."""
    return f"{'' if value is None else number(float(value), sign):>9}"


def log_files(folder: RunFolder) -> list[Path]:
    """Return the logs of a run's calls, in the order in which the calls started."""
    paths = [path for path in (folder.root / "logs").glob("*.log") if path.is_file()]
    return sorted(paths, key=lambda path: path.stat().st_ctime)
