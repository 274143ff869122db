"""Benchmark of sources, filters and shuffling: rows per second on one core, and peak memory, each in its own process.

    PYTHONPATH=runner:plugins python benchmarks/bench_sources.py [--rows N] [--characters N] [NAME...]

`parquet` requires pyarrow, which is in the environment of the trainer.
"""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

from ftrun.api.dataset import Filter
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun_plugins.data.format.external_shuffle import shuffled
from ftrun_plugins.data.format.row_filter import RowFilter
from ftrun_plugins.data.sources.readers import read_file

FORMATS = ("jsonl", "json", "csv", "parquet")
WORDS = 'the model "answers" a question: about tables, naïve café prices 12.50 € and lists; then it stops. '
GROUP = 20_000  # rows in a group of a Parquet file
FILTERS = (
    {"column": "question", "min_characters": 5},
    {"column": "question", "matches": "^[0-9]+:"},
    {"column": "question", "distinct": True},
)


def main() -> None:
    """Write the rows of each format and measure the time to read them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="Number of rows.")
    parser.add_argument("--characters", type=int, default=400, help="Number of characters per row.")
    parser.add_argument("names", nargs="*", default=[*FORMATS, "filters", "shuffle"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.names:
            process = multiprocessing.get_context("spawn").Process(
                target=_measure, args=(name, arguments.rows, arguments.characters, Path(folder))
            )
            process.start()
            process.join()


def _measure(name: str, count: int, characters: int, folder: Path) -> None:
    suffix = name if name in FORMATS else "jsonl"
    path = folder / f"rows.{suffix}"
    if not path.exists():
        writer = multiprocessing.get_context("spawn").Process(target=_write, args=(path, suffix, count, characters))
        writer.start()
        writer.join()
    start, clock = time.perf_counter(), time.process_time()
    total = sum(1 for _ in _process(name, read_file(path, path.name), folder))
    seconds, busy = time.perf_counter() - start, time.process_time() - clock
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000  # kB on Linux
    each = path.stat().st_size / count
    print(f"{name:<8} {total:,} rows of {each:,.0f} bytes: {total / seconds:,.0f} rows/s", end=" ")
    print(f"({total / busy:,.0f} rows/s of processor time), peak {peak:,.0f} MB", flush=True)


def _process(name: str, rows: Iterator[Row | BadRow], folder: Path) -> Iterable[Row | BadRow]:
    if name == "filters":
        return RowFilter([Filter.model_validate(values) for values in FILTERS]).apply(rows)
    return shuffled(rows, "0", folder) if name == "shuffle" else rows


def _rows(count: int, characters: int) -> Iterator[dict[str, str]]:
    text = WORDS * (characters // (2 * len(WORDS)) + 1)
    half = characters // 2
    for number in range(count):
        yield {"question": f"{number}: {text[:half]}", "answer": f"{text[:half]}{number}"}


def _write(path: Path, suffix: str, count: int, characters: int) -> None:
    rows = _rows(count, characters)
    if suffix == "parquet":
        _write_parquet(path, rows)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        if suffix == "csv":
            first = next(rows)
            table = csv.DictWriter(file, list(first))
            table.writeheader()
            table.writerows(chain([first], rows))
            return
        between = ",\n" if suffix == "json" else "\n"
        file.write("[" if suffix == "json" else "")
        for number, row in enumerate(rows):
            file.write((between if number else "") + json.dumps(row, ensure_ascii=False))
        file.write("]" if suffix == "json" else "\n")


def _write_parquet(path: Path, rows: Iterator[dict[str, str]]) -> None:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    schema = pa.schema([("question", pa.string()), ("answer", pa.string())])
    with ParquetWriter(path, schema) as writer:
        while group := list(islice(rows, GROUP)):
            writer.write_table(pa.Table.from_pylist(group, schema))


if __name__ == "__main__":
    main()
