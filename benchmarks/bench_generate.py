"""Benchmark of the stage `generate` against `LLM.generate` of vLLM, on the same prompts in one process.

    SERVER_PYTHON benchmarks/bench_generate.py [MODEL PREDICTIONS] [--gpus N] [--rows N] [--rounds N] [--tokens N]

MODEL is a folder, and PREDICTIONS is a file `predictions.jsonl` of the stage `generate`, whose prompts are used.
The default is the newest call of `generate` in the store. Prints the tokens per second of both sides for each round,
and the ratio of their medians, which must be 0.9 or more.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).parent.parent
sys.path[:0] = [str(PROJECT / "runner"), str(PROJECT / "plugins")]


def main() -> None:
    arguments = _arguments()
    from ftrun.api.context import Reporter, StageContext
    from ftrun_plugins.evaluation.generate import vllm_engine
    from ftrun_plugins.evaluation.generate.params import Params

    model, predictions = (arguments.model, arguments.predictions) if arguments.predictions else _find_newest()
    lines = [json.loads(line) for line in predictions.read_text().splitlines()]
    waiting = dict(enumerate(line["prompt_ids"] for line in lines * (1 + arguments.rows // len(lines))))
    waiting = {index: ids for index, ids in waiting.items() if index < arguments.rows}
    params = Params(
        engine="vllm",
        max_new_tokens=arguments.tokens,
        temperature=0.0,
        top_p=1.0,
        seed=0,
        batch_size=None,
        rows=None,
        accelerator="gpu" if arguments.gpus else "cpu",
        gpus=arguments.gpus,
        trust_remote_code=False,
    )
    with tempfile.TemporaryDirectory() as folder:
        report = Reporter("generate", Path(folder) / "events.jsonl")
        context = StageContext(Path(folder), Path(folder), {"model": model}, {}, report)
        llm, _ = vllm_engine.load(max(map(len, waiting.values())), params, context)
    how = vllm_engine.make_sampling_params(params, arguments.end)
    prompts = [{"prompt_token_ids": ids} for ids in waiting.values()]
    sides: dict[str, Callable[[], int]] = {
        "stage": lambda: sum(
            len(answer.ids) for answer in vllm_engine.run_requests(llm, None, waiting, how, lambda: None)
        ),
        "offline": lambda: sum(
            len(output.outputs[0].token_ids) for output in llm.generate(prompts, how, use_tqdm=False)
        ),
    }
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(arguments.rounds):
        for name, run in sides.items():
            start = time.monotonic()
            tokens = run()
            rates[name].append(tokens / (time.monotonic() - start))
            print(f"{name:<8} {rates[name][-1]:8.1f} tokens/s of {tokens} tokens", flush=True)
    ratio = statistics.median(rates["stage"]) / statistics.median(rates["offline"])
    print(f"ratio    {ratio:8.2f}   promised: 0.9 or more")


def _find_newest() -> tuple[Path, Path]:
    """Return the model and the predictions of the newest call of `generate` on this machine."""
    from ftrun.api.paths import MANIFEST, Store
    from ftrun.api.stage_call import Ref

    store = Store(Path(os.environ.get("FTRUN_STORE", Path.home() / ".local" / "share" / "ftrun")))
    newest = max(store.root.glob("artifacts/generate/*/predictions.jsonl"), key=lambda path: path.stat().st_mtime)
    identity = json.loads((newest.parent / MANIFEST).read_text())["identity"]
    return store.artifact(Ref.parse(identity["inputs"]["model"])), newest


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("predictions", type=Path, nargs="?")
    parser.add_argument("--gpus", type=int, default=0, help="Number of GPUs; 0 uses the CPU.")
    parser.add_argument(
        "--rows", type=int, default=100, help="Number of prompts in a round; those of the file are repeated."
    )
    parser.add_argument("--rounds", type=int, default=3, help="Number of rounds.")
    parser.add_argument("--tokens", type=int, default=64, help="Maximum number of tokens per answer.")
    parser.add_argument("--end", type=int, default=2, help="Id of the token that ends an answer.")
    return parser.parse_args()


if __name__ == "__main__":
    main()
