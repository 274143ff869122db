"""Comparison for `bench_format.py`: reads, validates and splits chat rows with `datasets`, and writes them as JSON.

    python datasets_map.py ROWS.jsonl FOLDER

Runs in the trainer environment and prints seconds and peak memory as JSON in its last line. It does less than `format`:
rows lose their places, and repeated keys are not detected.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import datasets

ROLES = {"system", "developer", "user", "assistant", "tool"}


def main() -> None:
    data, folder = sys.argv[1], Path(sys.argv[2])
    datasets.disable_progress_bars()
    start = time.perf_counter()
    rows = datasets.load_dataset("json", data_files=data, split="train", cache_dir=str(folder / "cache"))
    checked = rows.map(check, load_from_cache_file=False)
    for name, side in (("train", False), ("held_out", True)):
        rows_of_side = checked.filter(lambda held_out, side=side: held_out is side, input_columns="held_out")
        rows_of_side.remove_columns("held_out").to_json(folder / f"{name}.jsonl")
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000  # kB on Linux
    print(json.dumps({"seconds": seconds, "peak_mb": peak}))


def check(row: dict[str, Any]) -> dict[str, Any]:
    """Validate a row like the formatter `chat`, and return the side of the split to which it belongs."""
    messages = row["messages"]
    if not messages or messages[-1]["role"] != "assistant":
        raise ValueError("the last message is not the assistant's")
    for index, message in enumerate(messages):
        if message["role"] not in ROLES or (message["role"] == "system" and index):
            raise ValueError(f"messages[{index}] has a wrong role")
        if not isinstance(message["content"], str) or (
            message["role"] == "assistant" and not message["content"].strip()
        ):
            raise ValueError(f"messages[{index}] has no content")
    content = json.dumps(dict(row), sort_keys=True).encode()
    digest = hashlib.blake2b(content, digest_size=8).digest()
    return {"held_out": int.from_bytes(digest, "big") < 0.05 * 2**64}


if __name__ == "__main__":
    main()
