"""Benchmark of the command line on this machine: median times of whole processes, beside the promised limits.

python benchmarks/bench_cli.py [--runs 5]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

FTRUN = str(Path(sys.executable).with_name("ftrun"))
CASES = (
    ("ftrun --help", ["--help"], 0.3),
    ("ftrun validate", ["validate", "recipe=quickstart"], 1.0),
    ("ftrun plan", ["plan", "recipe=quickstart"], 1.5),
    ("ftrun preview", ["preview", "recipe=quickstart"], 3.0),  # after the environment and the model were installed
)


def seconds(arguments: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run([FTRUN, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="Number of runs of each command.")
    parser.add_argument("--cached", nargs="*", help="Overrides of a recipe that has run; also measure its cached run.")
    options = parser.parse_args()
    cases = [*CASES, ("a cached run", options.cached, 2.0)] if options.cached else list(CASES)
    for name, arguments, promised in cases:
        seconds(arguments)  # fills bytecode and file caches
        median = statistics.median(seconds(arguments) for _ in range(options.runs))
        print(f"{name:<16} {median:6.3f} s   promised under {promised} s")


if __name__ == "__main__":
    main()
