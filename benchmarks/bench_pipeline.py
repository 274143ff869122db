"""Benchmark of a whole recipe against the same axolotl commands run by hand, in sequence on one machine.

    python benchmarks/bench_pipeline.py TRAINER_PYTHON [OVERRIDE...]

Both sides start from the fetched model and the formatted rows. By hand, the commands are `axolotl preprocess`,
`axolotl train` and `axolotl merge-lora`; with ftrun, the stages are tokenize, train and merge. The environment must be
installed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

FTRUN = str(Path(sys.executable).with_name("ftrun"))
PREPARATION = ["stages=[fetch,format]"]
COMPARED = ["stages=[fetch,format,tokenize,train,merge]"]


def ftrun(overrides: list[str], store: Path) -> float:
    start = time.perf_counter()
    subprocess.run([FTRUN, *overrides], check=True, env={**os.environ, "FTRUN_STORE": str(store)})
    return time.perf_counter() - start


def by_hand(python: str, folder: Path) -> float:
    axolotl = str(Path(python).with_name("axolotl"))
    quiet = {"HF_HUB_OFFLINE": "1", "AXOLOTL_DO_NOT_TRACK": "1", "WANDB_MODE": "disabled", "PYTHONWARNINGS": "ignore"}
    start = time.perf_counter()
    for command in (["preprocess"], ["train", "--launcher", "python"], ["merge-lora", "--lora-model-dir", "out"]):
        subprocess.run(
            [axolotl, command[0], "config.yml", *command[1:]], check=True, cwd=folder, env={**os.environ, **quiet}
        )
    return time.perf_counter() - start


def write_folder(store: Path, folder: Path) -> None:
    """Write a folder for axolotl with the configuration and the formatted rows that ftrun used."""
    trained = next(store.glob("artifacts/train/*/axolotl.yml"))
    config = yaml.safe_load(trained.read_text())
    config["plugins"] = [plugin for plugin in config.get("plugins", []) if not plugin.startswith("ftrun_")]
    for key, split in (("datasets", "train"), ("test_datasets", "held_out")):
        config[key] = [{"path": f"{split}.jsonl", "ds_type": "json", "split": "train", "type": "chat_template"}]
        rows = next(store.glob(f"artifacts/format/*/{split}.jsonl")).read_text().splitlines()
        messages = ({"messages": json.loads(row)["messages"]} for row in rows)
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in messages))
    (folder / "config.yml").write_text(yaml.safe_dump(config))
    (folder / "model").symlink_to(next(store.glob("artifacts/fetch/*")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", help="python of the environment `trainer`; `ftrun envs path trainer` prints it")
    parser.add_argument("overrides", nargs="*", default=["recipe=quickstart", "train.max_steps=20"])
    arguments = parser.parse_args()
    python, overrides = arguments.python, arguments.overrides
    root = Path(tempfile.mkdtemp(prefix="ftrun-bench-"))
    try:
        ftrun([*overrides, *PREPARATION], root / "store")
        ours = ftrun([*overrides, *COMPARED], root / "store")
        (root / "hand").mkdir()
        write_folder(root / "store", root / "hand")
        hand = by_hand(python, root / "hand")
        print(f"ftrun {ours:.1f} s   by hand {hand:.1f} s   ratio {ours / hand:.3f}   promised at most 1.05")
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
