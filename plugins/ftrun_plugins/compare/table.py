"""A comparison as plain text that also reads well in a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from ftrun.cli.run_summary import evaluation_table
from ftrun.report.number_format import duration, number
from ftrun.utils.value_format import to_yaml

MOST_DIFFERENCES = 40
LONGEST_VALUE = 28  # letters
LONGEST_PLACE = 48  # letters
COLUMNS: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "trained_tokens": ("trained tokens/epoch", number),
    "loss": ("loss", number),
    "eval_loss": ("held-out loss", number),
    "train_seconds": ("training", duration),
    "seconds": ("whole run", duration),
    "cost": ("cost", lambda cost: f"${cost:.2f}"),
}

Run = Mapping[str, Any]


def lines(runs: Sequence[Run], differences: Mapping[str, Sequence[Any]], tuned: Sequence[Run]) -> Iterator[str]:
    names = short_names([run["run"] for run in runs])
    yield from _figures(runs)
    yield ""
    yield from _differences(list(names.values()), differences)
    for evaluation in dict.fromkeys(name for run in runs for name in run["evaluation"]):
        yield ""
        found = {names[run["run"]]: run["evaluation"][evaluation] for run in runs if evaluation in run["evaluation"]}
        yield from evaluation_table(found, evaluation)
        for comparison in tuned:
            if comparison["evaluation"] == evaluation:
                yield f"  {names[comparison['run']]} against {names[comparison['against']]}: {_said(comparison)}"


def short_names(ids: Sequence[str]) -> dict[str, str]:
    """The beginnings of run ids, where they differ."""
    beginnings = {run_id: run_id.partition("-")[0] for run_id in ids}
    return beginnings if len(set(beginnings.values())) == len(ids) else {run_id: run_id for run_id in ids}


def diff_lines(runs: Sequence[str], sections: Mapping[str, Mapping[str, Run]]) -> Iterator[str]:
    """What two runs differ in; recipe values with where they came from."""
    names = list(short_names(runs).values())
    if not any(sections.values()):
        yield f"{runs[0]} and {runs[1]} differ in nothing"
        return
    for number_of, (title, found) in enumerate((title, found) for title, found in sections.items() if found):
        if number_of:
            yield ""
        shown = list(found.items())[:MOST_DIFFERENCES]
        rows = [[title, *names], *([key, *_short([_said_of(value) for value in one["values"]])] for key, one in shown)]
        origins: list[Sequence[str | None]] = [(), *(one.get("from", ()) for _, one in shown)]
        for line, places in zip(_aligned(rows, left=3), origins, strict=True):
            yield line
            if any(places):
                yield f"    from {' | '.join(_tail(place) for place in places)}"
        if len(found) > len(shown):
            yield f"and {len(found) - len(shown)} more: --json has all of them"
    same = [title for title, found in sections.items() if not found]
    if same:
        yield f"\nthe same: {', '.join(same)}"


def _said_of(value: Any) -> Any:
    return number(value) if isinstance(value, float) else value


def _tail(place: str | None) -> str:
    """The end of a long place, which tells more than its beginning."""
    if place is None:
        return "not set"
    return place if len(place) <= LONGEST_PLACE else f"…{place[1 - LONGEST_PLACE :]}"


def _figures(runs: Sequence[Run]) -> Iterator[str]:
    known = {key: column for key, column in COLUMNS.items() if any(run[key] is not None for run in runs)}
    rows = [["run", "status", *(title for title, _ in known.values())]]
    for run in runs:
        values = ("" if run[key] is None else show(run[key]) for key, (_, show) in known.items())
        rows.append([run["run"], run["status"], *values])
    yield from _aligned(rows, left=2)


def _differences(names: Sequence[str], differences: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    if not differences:
        yield "the recipes are the same"
        return
    shown = list(differences.items())[:MOST_DIFFERENCES]
    rows = [["recipe", *names], *([path, *_short(values)] for path, values in shown)]
    yield from _aligned(rows, left=len(rows[0]))
    if len(differences) > len(shown):
        yield f"and {len(differences) - len(shown)} more values: --json has all of them"


def _short(values: Sequence[Any]) -> Iterator[str]:
    """Values cut short; of long ones the part that differs is shown."""
    texts = ["" if value is None else to_yaml(value) for value in values]
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    common = sum(1 for _ in alike) if max(map(len, texts)) > LONGEST_VALUE else 0
    for text in texts:
        shown = f"…{text[common:]}" if common else text
        yield shown if len(shown) <= LONGEST_VALUE else f"{shown[: LONGEST_VALUE - 1]}…"


def _said(comparison: Run) -> str:
    if "reason" in comparison:
        return f"not compared: {comparison['reason']}"
    low, high = comparison["interval"]
    between = f"{number(low, sign=True)} to {number(high, sign=True)}"
    rows = number(comparison["rows"])
    return f"{comparison['verdict']}, gain {number(comparison['gain'], sign=True)} ({between}) on {rows} rows"


def _aligned(rows: Sequence[Sequence[str]], left: int) -> Iterator[str]:
    """Columns as wide as their widest cell; those behind the first `left` are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, strict=True)
        yield "  ".join(
            f"{cell:<{width}}" if n < left else f"{cell:>{width}}" for n, (cell, width) in enumerate(cells)
        ).rstrip()
