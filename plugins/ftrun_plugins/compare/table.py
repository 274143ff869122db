"""Comparisons of runs as plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from ftrun.cli.run_summary import evaluation_table
from ftrun.report.evaluation_details import evaluation_details
from ftrun.report.number_format import duration, number
from ftrun.utils.text import truncate
from ftrun.utils.value_format import to_yaml

MOST_DIFFERENCES = 40
LONGEST_VALUE = 28  # characters
LONGEST_PLACE = 48  # characters
COLUMNS: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "trained_tokens": ("trained tokens/epoch", number),
    "loss": ("loss", number),
    "eval_loss": ("held-out loss", number),
    "train_seconds": ("training", duration),
    "seconds": ("whole run", duration),
    "cost": ("cost", lambda cost: f"${cost:.2f}"),
}

Run = Mapping[str, Any]


def comparison_lines(
    runs: Sequence[Run], differences: Mapping[str, Sequence[Any]], tuned: Sequence[Run]
) -> Iterator[str]:
    """Yield the lines of `ftrun compare`: figures, differences of the recipes, evaluations."""
    names = short_names([run["run"] for run in runs])
    yield from _figure_lines(runs)
    yield ""
    yield from _difference_lines(list(names.values()), differences)
    for evaluation in dict.fromkeys(name for run in runs for name in run["evaluation"]):
        yield ""
        results = {names[run["run"]]: run["evaluation"][evaluation] for run in runs if evaluation in run["evaluation"]}
        yield from evaluation_table(results, evaluation)
        for comparison in tuned:
            if comparison["evaluation"] == evaluation:
                yield f"  {names[comparison['run']]} against {names[comparison['against']]}: {_describe(comparison)}"


def short_names(ids: Sequence[str]) -> dict[str, str]:
    """Return the first parts of run ids, or the whole ids if the first parts are not unique."""
    beginnings = {run_id: run_id.partition("-")[0] for run_id in ids}
    return beginnings if len(set(beginnings.values())) == len(ids) else {run_id: run_id for run_id in ids}


def diff_lines(runs: Sequence[str], sections: Mapping[str, Mapping[str, Run]]) -> Iterator[str]:
    """Yield the lines of `ftrun diff`. Values of the recipe have their origins."""
    names = list(short_names(runs).values())
    if not any(sections.values()):
        yield f"{runs[0]} and {runs[1]} do not differ"
        return
    for index, (title, section) in enumerate((title, section) for title, section in sections.items() if section):
        if index:
            yield ""
        shown = list(section.items())[:MOST_DIFFERENCES]
        rows = [
            [title, *names],
            *([key, *_shorten([_format(value) for value in difference["values"]])] for key, difference in shown),
        ]
        origins: list[Sequence[str | None]] = [(), *(difference.get("from", ()) for _, difference in shown)]
        for line, places in zip(_align(rows, left=3), origins, strict=True):
            yield line
            if any(places):
                yield f"    from {' | '.join(_shorten_place(place) for place in places)}"
        if len(section) > len(shown):
            yield f"and {len(section) - len(shown)} more; use --json to show all"
    same = [title for title, section in sections.items() if not section]
    if same:
        yield f"\nthe same: {', '.join(same)}"


def _format(value: Any) -> Any:
    return number(value) if isinstance(value, float) else value


def _shorten_place(place: str | None) -> str:
    """Return a place; of a long place the end, because it is more specific than the beginning."""
    if place is None:
        return "not set"
    return place if len(place) <= LONGEST_PLACE else f"…{place[1 - LONGEST_PLACE :]}"


def _figure_lines(runs: Sequence[Run]) -> Iterator[str]:
    known = {key: column for key, column in COLUMNS.items() if any(run[key] is not None for run in runs)}
    rows = [["run", "status", *(title for title, _ in known.values())]]
    for run in runs:
        values = ("" if run[key] is None else show(run[key]) for key, (_, show) in known.items())
        rows.append([run["run"], run["status"], *values])
    yield from _align(rows, left=2)


def _difference_lines(names: Sequence[str], differences: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    if not differences:
        yield "the recipes are the same"
        return
    shown = list(differences.items())[:MOST_DIFFERENCES]
    rows = [["recipe", *names], *([path, *_shorten(values)] for path, values in shown)]
    yield from _align(rows, left=len(rows[0]))
    if len(differences) > len(shown):
        yield f"and {len(differences) - len(shown)} more values; use --json to show all"


def _shorten(values: Sequence[Any]) -> Iterator[str]:
    """Yield shortened values; long values start at the part that differs."""
    texts = ["" if value is None else to_yaml(value) for value in values]
    prefix = takewhile(lambda characters: len(set(characters)) == 1, zip(*texts, strict=False))
    common = sum(1 for _ in prefix) if max(map(len, texts)) > LONGEST_VALUE else 0
    for text in texts:
        yield truncate(f"…{text[common:]}" if common else text, LONGEST_VALUE)


def _describe(comparison: Run) -> str:
    if "verdict" not in comparison:
        return f"not compared: {comparison['reason']}"
    between = ""
    if comparison.get("interval"):
        low, high = comparison["interval"]
        between = f" ({number(low, sign=True)} to {number(high, sign=True)})"
    details = "".join(f"; {detail}" for detail in evaluation_details(comparison))
    gain, rows = number(comparison["gain"], sign=True), number(comparison["rows"])
    return f"{comparison['verdict']}, gain {gain}{between} on {rows} rows{details}"


def _align(rows: Sequence[Sequence[str]], left: int) -> Iterator[str]:
    """Yield aligned rows. The first `left` columns are aligned to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, strict=True)
        yield "  ".join(
            f"{cell:<{width}}" if n < left else f"{cell:>{width}}" for n, (cell, width) in enumerate(cells)
        ).rstrip()
