"""Slices of an evaluation: parts of the held-out rows that are compared on their own."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import quantiles
from typing import Any

from ftrun.api.artifacts import ExampleRow, FormattedRows
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.prompts import make_prompt
from ftrun.api.serving_spec import BASE, TUNED
from ftrun.utils.text import truncate
from ftrun_plugins.evaluation.evaluate.summary import Row, is_scored, summarize
from ftrun_plugins.evaluation.statistics.comparison import ALPHA
from ftrun_plugins.evaluation.statistics.correction import adjust_p_values

PROMPT_LENGTH, REFERENCE_LENGTH, FILE = "length:prompt", "length:reference", "place:file"
MOST_VALUES = 12  # of a column; the other values form one slice
OTHER = "other values"
LONGEST_VALUE = 40  # characters
MOST_COLUMNS = 20  # shown in an error


def label_rows(by: str, data: FormattedRows, place: str) -> list[str]:
    """Return the slice of each held-out row: its value in a column, its quartile of lengths, or its file.

    Raises:
        InvalidInput: If no row has the column.
    """
    examples = list(data.examples("held_out"))
    if by == FILE:
        return _limit([example["place"].rpartition(":")[0] for example in examples])
    if by in (PROMPT_LENGTH, REFERENCE_LENGTH):
        return _quartiles([_length(example, by) for example in examples])
    rows = list(data.held_out_source_rows())
    if not any(by in row for row in rows):
        columns = list(dict.fromkeys(name for row in rows for name in row))[:MOST_COLUMNS]
        expected = ", ".join([PROMPT_LENGTH, REFERENCE_LENGTH, FILE, *columns])
        raise InvalidInput(Problem("unknown-column", f"no held-out row has the column `{by}`", place, expected))
    return _limit([truncate(str(row.get(by, "not set")), LONGEST_VALUE) for row in rows])


def compare_slices(
    rows: Sequence[Row], meaning: Mapping[str, Any], clusters: Mapping[int, str], labels: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """Return the results of all slices of an evaluation of two models, those with the largest loss first.

    The intervals hold for all slices at once (Bonferroni), and a verdict needs an interval that excludes zero. Then the
    p-value adjusted by Holm's method is also below 0.05.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in filter(is_scored, rows):
        for by, names in labels.items():
            groups.setdefault((by, names[row["index"]]), []).append(row)
    results = [
        {"by": by, "slice": name, **_count(group, meaning), **summarize(group, meaning, clusters, ALPHA / len(groups))}
        for (by, name), group in groups.items()
        if BASE in group[0] and TUNED in group[0]
    ]
    known = {str(number): result["p"] for number, result in enumerate(results) if result["p"] is not None}
    for number, p in adjust_p_values(known).items():
        results[int(number)]["p_adjusted"] = float(f"{p:.4g}")
    return sorted(results, key=lambda result: float(result["gain"]))


def _count(rows: Sequence[Row], meaning: Mapping[str, Any]) -> dict[str, int]:
    sign = 1 if meaning["higher_is_better"] else -1
    gains = [sign * (row[TUNED]["score"] - row[BASE]["score"]) for row in rows]
    return {"wins": sum(gain > 0 for gain in gains), "losses": sum(gain < 0 for gain in gains)}


def _length(example: ExampleRow, by: str) -> int:
    if "text" in example:
        return len(example["text"])
    prompt = make_prompt(0, example)
    if by == REFERENCE_LENGTH:
        return len(prompt.reference)
    return sum(map(len, prompt.segments)) + sum(len(str(message.get("content") or "")) for message in prompt.messages)


def _quartiles(lengths: Sequence[int]) -> list[str]:
    """Return the quartile of each length as a range of characters. Equal lengths are in the same one."""
    cuts = quantiles(lengths, n=4) if len(lengths) > 1 else []
    numbers = [bisect_left(cuts, length) for length in lengths]
    names: dict[int, str] = {}
    for number in set(numbers):
        inside = [length for length, other in zip(lengths, numbers, strict=True) if other == number]
        names[number] = f"{min(inside)} to {max(inside)} characters"
    return [names[number] for number in numbers]


def _limit(names: Sequence[str]) -> list[str]:
    counted = Counter(names)
    if len(counted) <= MOST_VALUES:
        return list(names)
    kept = {name for name, _ in counted.most_common(MOST_VALUES - 1)}
    return [name if name in kept else OTHER for name in names]
