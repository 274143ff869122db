"""Benchmark of the stage `format`: rows per second on one core and peak memory, by formatter, for rows of 1 kB.

    PYTHONPATH=runner:plugins python benchmarks/bench_format.py [--rows N] [--formatter NAME]... [--compare PYTHON]

Every formatter gets the same conversations in its own format, one formatter after the other in one process. On a busy
machine, the ratios to `chat` are more reliable than the rates. The rates are printed for both elapsed time and
processor time. With `--compare`, the interpreter of the trainer environment then does the work of `chat` with
`datasets.load_dataset("json").map`, in one process.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ftrun.api.context import Reporter, StageContext, load
from ftrun.api.recipe import Split
from ftrun.api.stage_call import Component, EnvironmentRef, StageCall
from ftrun.utils.code_digest import source_digest
from ftrun.utils.digests import sha256_of
from ftrun_plugins.data.format.params import FormatterPart, OutsideFile, Params, SourcePart
from ftrun_plugins.data.format.stage import Format

TEXT = 'the model "answers" a question: about tables, naïve café prices 12.50 € and\tlists;\nthen it stops'
WORDS = [word + number for number in ("", *map(str, range(100))) for word in TEXT.split(" ")]  # as many as texts have
SYSTEM = "You answer questions about tables."
COMPARED = Path(__file__).with_name("datasets_map.py")


@dataclass(frozen=True)
class Measured:
    """A formatter with its class and options, and the function that writes a question and its answer in its format."""

    formatter: str
    implementation: str
    shape: Callable[[str, str], dict[str, object]]
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rates:
    """Rows per second of elapsed time (`clock`) and of processor time (`processor`)."""

    clock: float
    processor: float


def _chat(question: str, answer: str) -> dict[str, object]:
    turns = (("system", SYSTEM), ("user", question), ("assistant", answer))
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


def _sharegpt(question: str, answer: str) -> dict[str, object]:
    turns = (("system", SYSTEM), ("human", question), ("gpt", answer))
    return {"conversations": [{"from": role, "value": text} for role, text in turns]}


def _alpaca(question: str, answer: str) -> dict[str, object]:
    return {"instruction": SYSTEM, "input": question, "output": answer}


FORMATTERS = (
    Measured("chat", "chat:ChatFormatter", _chat),
    Measured("sharegpt", "sharegpt:ShareGpt", _sharegpt),
    Measured("alpaca", "alpaca:Alpaca", _alpaca),
    Measured(
        "template",
        "template:Template",
        _alpaca,
        {"prompt": "{instruction}\n[INST] {input} [/INST]", "answer": "{output}"},
    ),
    Measured("completion", "completion:Completion", lambda question, answer: {"text": f"{SYSTEM} {question} {answer}"}),
    Measured("auto", "auto:Auto", _chat),
)


def main() -> None:
    """Write the rows of each formatter and measure it; then measure `datasets.map` on request."""
    arguments = _arguments()
    rates: dict[str, Rates] = {}
    with tempfile.TemporaryDirectory() as name:
        for measured in FORMATTERS:
            if measured.formatter in (arguments.formatter or [measured.formatter]):
                folder = Path(name) / measured.formatter
                folder.mkdir()
                size = _write(folder / "rows.jsonl", arguments.rows, measured.shape)
                clock, processor = _format(measured, folder / "rows.jsonl", folder)
                rates[measured.formatter] = Rates(arguments.rows / clock, arguments.rows / processor)
                _print_rate(measured.formatter, rates, size / arguments.rows)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000  # kB on Linux
        print(f"peak {peak:,.0f} MB")
        if arguments.compare and "chat" in rates:
            data = Path(name) / "chat" / "rows.jsonl"
            theirs = _measure_datasets(arguments.compare, data, Path(name), arguments.rows)
            print(f"format is {rates['chat'].clock / theirs:.1f} times as fast")


def _print_rate(formatter: str, rates: Mapping[str, Rates], size: float) -> None:
    rate = rates[formatter]
    ratio = f", {rate.processor / rates['chat'].processor:.2f} of `chat`" if "chat" in rates else ""
    print(
        f"{formatter:<12} {rate.clock:>8,.0f} rows/s elapsed, {rate.processor:>8,.0f} rows/s of processor time{ratio}"
        f" ({size:,.0f} bytes per row)",
        flush=True,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000, help="Number of rows for each formatter.")
    names = [measured.formatter for measured in FORMATTERS]
    parser.add_argument(
        "--formatter", action="append", choices=names, help="Measure only this formatter; can be given several times."
    )
    parser.add_argument("--compare", metavar="PYTHON", help="Interpreter with the package `datasets`.")
    return parser.parse_args()


def _write(path: Path, rows: int, shape: Callable[[str, str], dict[str, object]]) -> int:
    with path.open("w", encoding="utf-8") as file:
        for row in _rows(rows, shape):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path.stat().st_size


def _rows(count: int, shape: Callable[[str, str], dict[str, object]]) -> Iterator[dict[str, object]]:
    chance = random.Random(0)  # noqa: S311  (the same rows in each run)
    for index in range(count):
        question, answer = (" ".join(chance.choices(WORDS, k=k)) for k in (55, 85))
        yield {**shape(f"{index}: {question}", answer), "id": f"row-{index}"}


def _format(measured: Measured, data: Path, folder: Path) -> tuple[float, float]:
    digest = sha256_of(data)
    source = SourcePart(name="jsonl", options={"path": data.name}, files=(OutsideFile(name=data.name, sha256=digest),))
    formatter = FormatterPart(name=measured.formatter, options=dict(measured.options))
    params = Params(source=source, held_out=None, formatter=formatter, split=Split(held_out=0.05), on_bad_row="stop")
    implementations = {
        "source:jsonl": "ftrun_plugins.data.sources.jsonl_source:JsonLines",
        f"formatter:{measured.formatter}": f"ftrun_plugins.data.formatters.{measured.implementation}",
    }
    call = StageCall(
        stage="format",
        version=1,
        params=params.model_dump(mode="json"),
        environment=EnvironmentRef(name="client"),
        components={
            name: Component(implementation=implementation, source=source_digest(load(implementation)))
            for name, implementation in implementations.items()
        },
        label="format",
        implementation="ftrun_plugins.data.format.stage:Format",
    )
    output = folder / "output"
    output.mkdir()
    report = Reporter("format", folder / "events.jsonl")
    start, worked = time.perf_counter(), time.process_time()
    Format().run(call, StageContext(output, folder, {}, {digest: data}, report))
    return time.perf_counter() - start, time.process_time() - worked


def _measure_datasets(python: str, data: Path, folder: Path, rows: int) -> float:
    command = [python, str(COMPARED), str(data), str(folder / "datasets")]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result = json.loads(answer.stdout.splitlines()[-1])
    theirs: float = rows / result["seconds"]
    print(f"datasets.map: {theirs:,.0f} rows/s, peak {result['peak_mb']:,.0f} MB")
    return theirs


if __name__ == "__main__":
    main()
