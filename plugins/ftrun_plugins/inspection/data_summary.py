"""Summary of a dataset: rows by source, rejected and repeated rows, overlap, lengths, tokens, sensitive values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from ftrun.api.artifacts import SPLITS, FormattedRows, Split, TokenizedRows
from ftrun_plugins.data.format.example_texts import content, parts_of_line, question
from ftrun_plugins.data.format.normalized_text import normalize_text
from ftrun_plugins.inspection.sensitive_text import SensitiveText

Histogram = list[tuple[int, int, int]]  # first length, last length, rows


def summarize(data: FormattedRows) -> dict[str, Any]:
    """Return the summary of formatted rows.

    Memory: about 100 bytes for each row, to find repeated ones.
    """
    sensitive = SensitiveText()
    splits: dict[str, Any] = {}
    for split in SPLITS:
        if summary := _summarize_split(data, split, sensitive):
            splits[split] = summary
    report = data.report
    shown = ("kind", "sources", "rejected", "reasons", "filters", "overlap", "notes")
    return {
        **{name: report[name] for name in shown if name in report},
        "splits": splits,
        "sensitive": [asdict(finding) for finding in sensitive.findings],
    }


def _summarize_split(data: FormattedRows, split: Split, sensitive: SensitiveText) -> dict[str, Any]:
    contents, questions = set[int](), set[int]()
    lengths = Counter[int]()  # rows by number of binary digits of their length
    rows = characters = 0
    for line in data.examples(split):
        parts = parts_of_line(line)
        text = content(parts)
        sensitive.add(text, line["place"])
        rows += 1
        characters += len(text)
        lengths[len(text).bit_length()] += 1
        contents.add(hash(normalize_text(text)))
        questions.add(hash(normalize_text(question(parts))))
    if not rows:
        return {}
    return {
        "rows": rows,
        "characters": characters,
        "repeated": rows - len(contents),
        "repeated_questions": rows - len(questions),
        "lengths": histogram(lengths),
    }


def histogram(counts: Mapping[int, int]) -> Histogram:
    """Return the ranges of lengths, from one power of two to the next, with their rows."""
    if not counts:
        return []
    return [
        ((1 << digits) >> 1, (1 << digits) - 1, counts.get(digits, 0)) for digits in range(min(counts), max(counts) + 1)
    ]


def summarize_tokens(tokenized: TokenizedRows, report: Mapping[str, Any], trainer: Mapping[str, Any]) -> dict[str, Any]:
    """Return counts of tokens by split, and the steps of an epoch with one process."""
    splits = {split: dict(report[split]) for split in SPLITS if report.get(split, {}).get("rows")}
    for split, summary in splits.items():
        lengths = Counter(row["tokens"].bit_length() for row in tokenized.rows(split))
        summary["histogram"] = histogram(lengths)
        summary["trained_share"] = round(summary["trained_tokens"] / summary["tokens"], 4)
    return {"splits": splits, "steps_per_epoch": steps_per_epoch(splits.get("train", {}), trainer)}


def steps_per_epoch(train: Mapping[str, Any], trainer: Mapping[str, Any]) -> int | None:
    """Return the optimizer steps of an epoch with one process, or None if the rows or their lengths are unknown."""
    if not train:
        return None
    units = int(train["rows"])
    if trainer.get("sample_packing"):
        length, efficiency = trainer.get("sequence_len"), train.get("packing_efficiency")
        if not length or not efficiency:
            return None
        units = math.ceil(train["tokens"] / (length * efficiency))
    batches = math.ceil(units / int(trainer.get("micro_batch_size") or 1))
    return math.ceil(batches / int(trainer.get("gradient_accumulation_steps") or 1))


def bars(rows: Histogram, width: int = 30) -> Iterable[str]:
    """Return one line for each range of lengths, with a bar."""
    return _bars(rows, max((count for *_, count in rows), default=0) or 1, width)


def _bars(rows: Histogram, most: int, width: int) -> Iterator[str]:
    for first, last, count in rows:
        bar = "█" * math.ceil(width * count / most)
        yield f"{first:>9,} to {last:>9,}  {count:>9,}  {bar}".rstrip()
