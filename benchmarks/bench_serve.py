"""Benchmark of `ftrun serve` against vLLM alone: time to first token and throughput with 16 concurrent requests.

    python benchmarks/bench_serve.py RUN|FOLDER [--rounds 8] [--tokens 64]

Two engines with the same arguments run side by side. One of them is behind the key and the limits of `ftrun serve`.
They get requests in alternation, and only the ratios of a round can be compared between machines. FOLDER is a model in
the layout of the hub.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ftrun.api.serving_spec import BASE, Serving
from ftrun.api.stage_call import Ref
from ftrun_plugins.local.hardware import gpus
from ftrun_plugins.serving.engine import Engine, command, environment, launch, variables
from ftrun_plugins.serving.ports import HOST, free_port
from ftrun_plugins.serving.serve_target import ServeTarget

FTRUN = str(Path(sys.executable).with_name("ftrun"))
KEY = "the-key"
CONCURRENCY = 16
REQUESTS = 2 * CONCURRENCY  # in a round
SHARED = ("--gpu-memory-utilization", "0.4")  # two engines on one GPU


@dataclass(frozen=True)
class Measured:
    """Measurements of one round of one engine."""

    first: float  # median seconds to the first token
    rate: float  # tokens per second of all requests together


def main() -> None:
    """Start both engines, warm them up, and measure them in alternation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", metavar="RUN|FOLDER")
    parser.add_argument("--rounds", type=int, default=8, help="Number of rounds.")
    parser.add_argument("--tokens", type=int, default=64, help="Number of tokens per answer.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _engines(options.what, Path(folder)) as (model, ports):
        results: list[list[Measured]] = [[], []]
        for number in range(-1, options.rounds):  # the first round is a warm-up
            for side in (0, 1) if number % 2 else (1, 0):
                measured = _measure_round(ports[side], model, options.tokens, number)
                if number >= 0:
                    results[side].append(measured)
    _compare("first token, s", [item.first for item in results[0]], [item.first for item in results[1]], "at most 1.05")
    _compare("tokens/s", [item.rate for item in results[0]], [item.rate for item in results[1]], "at least 0.95")


@contextmanager
def _engines(what: str, folder: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    """Start both engines; yield the name of the model, the port of the guarded engine and that of the unguarded one."""
    count = min(1, len(gpus()))
    if Path(what).is_dir():
        serving, artifact = Serving(run="none", model=Ref(stage="fetch", key="none"), name=BASE), lambda _: Path(what)
        path = [FTRUN, "envs", "path", environment(serving, count)]
        python = Path(subprocess.run(path, check=True, stdout=subprocess.PIPE, text=True).stdout.strip())
        declared: Mapping[str, str] = {}
    else:
        target = ServeTarget.find(what)
        serving, artifact = target.serving, target.store.artifact
        name = environment(serving, count)
        python, declared = target.backend.environment_python(name), target.recipe.environment[name].variables
    started: list[Engine] = []
    ports = (free_port(), free_port())
    try:
        for port, guarded in zip(ports, (True, False), strict=True):
            arguments = command(serving, artifact, python, HOST, port, count) + list(SHARED if count else ())
            arguments = arguments if guarded else _remove_middleware(arguments)
            process_variables = variables(serving.limits, KEY if guarded else None, declared)
            started.append(Engine(launch(arguments, process_variables, folder / f"{port}.log"), port))
            if not started[-1].wait_until_ready(lambda seconds: None):
                sys.exit((folder / f"{port}.log").read_text()[-3000:])
        yield serving.names[-1], ports
    finally:
        for engine in started:
            engine.stop()


def _remove_middleware(arguments: Sequence[str]) -> list[str]:
    """Remove the middleware of `ftrun serve` from the arguments; the engine still ends with this process."""
    index = arguments.index("--middleware")
    return [*arguments[:index], *arguments[index + 2 :]]


def _measure_round(port: int, model: str, tokens: int, number: int) -> Measured:
    start = time.perf_counter()
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        firsts = list(pool.map(lambda index: _send_request(port, model, tokens, f"{number}-{index}"), range(REQUESTS)))
    return Measured(statistics.median(firsts), REQUESTS * tokens / (time.perf_counter() - start))


def _send_request(port: int, model: str, tokens: int, name: str) -> float:
    """Send a request and read its whole stream; return the seconds to its first chunk.

    Every prompt begins with a different name, so that no prefix is cached.
    """
    prompt = {"role": "user", "content": f"{name}: which singer sang how many songs in which year?"}
    body = {"model": model, "messages": [prompt], "max_tokens": tokens, "stream": True, "ignore_eos": True}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    connection = http.client.HTTPConnection(HOST, port, timeout=600)
    start = time.perf_counter()
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    answer.readline()
    first = time.perf_counter() - start
    answer.read()
    connection.close()
    return first


def _compare(what: str, ours: list[float], bare: list[float], promised: str) -> None:
    ratio = statistics.median(first / second for first, second in zip(ours, bare, strict=True))
    print(
        f"{what:<15} ftrun serve {statistics.median(ours):8.3f}   vLLM {statistics.median(bare):8.3f}"
        f"   ratio {ratio:.3f}   promised {promised}"
    )


if __name__ == "__main__":
    main()
