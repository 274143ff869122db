"""How fast the stage `format` is: rows a second on one core and peak memory, for chat rows of 1 kB.

    PYTHONPATH=runner:plugins python benchmarks/bench_format.py [--rows N] [--compare PYTHON]

`--compare` has the interpreter of the trainer environment do the same work with `datasets.load_dataset("json").map`,
in one process, right after: only the ratio of the two means something elsewhere.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ftrun.execute.context import Reporter, StageContext, load
from ftrun.plan.call import Component, EnvironmentRef, StageCall
from ftrun.plan.digests import sha256_of, source_digest
from ftrun.recipe.types import Split
from ftrun_plugins.formatting.params import FormatterPart, OutsideFile, Params, SourcePart
from ftrun_plugins.formatting.stage import Format

TEXT = 'the model "answers" a question: about tables, naïve café prices 12.50 € and\tlists;\nthen it stops'
WORDS = TEXT.split(" ")
COMPARED = Path(__file__).with_name("datasets_map.py")


def main() -> None:
    """Makes the rows, then times both sides."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "rows.jsonl"
        size = _write(data, arguments.rows)
        seconds = _format(data, Path(folder))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000  # kB on Linux
        ours = arguments.rows / seconds
        print(f"format: {arguments.rows:,} rows of {size / arguments.rows:,.0f} bytes")
        print(f"format: {ours:,.0f} rows/s, peak {peak:,.0f} MB")
        if arguments.compare:
            theirs = _compared(arguments.compare, data, Path(folder), arguments.rows)
            print(f"format is {ours / theirs:.1f} times as fast")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--compare", metavar="PYTHON", help="interpreter that has `datasets`")
    return parser.parse_args()


def _write(path: Path, rows: int) -> int:
    with path.open("w", encoding="utf-8") as file:
        for row in _rows(rows):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path.stat().st_size


def _rows(count: int) -> Iterator[dict[str, object]]:
    chance = random.Random(0)  # noqa: S311  the same rows each time
    for index in range(count):
        question, answer = (" ".join(chance.choices(WORDS, k=k)) for k in (55, 85))
        system = {"role": "system", "content": "You answer questions about tables."}
        turns = [{"role": "user", "content": f"{index}: {question}"}, {"role": "assistant", "content": answer}]
        yield {"messages": [system, *turns], "id": f"row-{index}"}


def _format(data: Path, folder: Path) -> float:
    digest = sha256_of(data)
    source = SourcePart(name="jsonl", options={"path": data.name}, files=(OutsideFile(name=data.name, sha256=digest),))
    formatter = FormatterPart(name="chat", options={})
    params = Params(source=source, held_out=None, formatter=formatter, split=Split(held_out=0.05), on_bad_row="stop")
    implementations = {
        "source:jsonl": "ftrun_plugins.sources.jsonl:JsonLines",
        "formatter:chat": "ftrun_plugins.formatters.chat:ChatFormatter",
    }
    call = StageCall(
        stage="format",
        version=1,
        params=params.model_dump(mode="json"),
        environment=EnvironmentRef(name="client"),
        components={
            name: Component(implementation=where, source=source_digest(load(where)))
            for name, where in implementations.items()
        },
        label="format",
        implementation="ftrun_plugins.formatting.stage:Format",
    )
    output = folder / "output"
    output.mkdir()
    report = Reporter("format", folder / "events.jsonl")
    began = time.perf_counter()
    Format().run(call, StageContext(output, folder, {}, {digest: data}, report))
    return time.perf_counter() - began


def _compared(python: str, data: Path, folder: Path, rows: int) -> float:
    command = [python, str(COMPARED), str(data), str(folder / "datasets")]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result = json.loads(answer.stdout.splitlines()[-1])
    theirs: float = rows / result["seconds"]
    print(f"datasets.map: {theirs:,.0f} rows/s, peak {result['peak_mb']:,.0f} MB")
    return theirs


if __name__ == "__main__":
    main()
