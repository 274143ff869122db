"""Tokenizes rows by axolotl's own strategy for prompts written in YAML, and compares with what ftrun made of them.

    trainer/bin/python compare_template.py CONFIG ROWS.jsonl TOKENIZED

CONFIG is axolotl's, with `datasets: [{type: {field_instruction: …, format: …}}]`; TOKENIZED is a dataset of ftrun's
stage `tokenize`. Prints the number of equal rows, or fails at the first that differs.
"""

from __future__ import annotations

import json
import sys

from axolotl.cli.config import load_cfg
from axolotl.loaders import load_tokenizer
from axolotl.prompt_strategies import load
from datasets import load_from_disk


def main() -> None:
    config_path, rows_path, tokenized = sys.argv[1:]
    sys.argv = sys.argv[:1]  # axolotl reads the command line, too
    config = load_cfg(config_path, is_preprocess=True)
    tokenizer = load_tokenizer(config)
    strategy = load("user_defined", tokenizer, config, config.datasets[0].type.to_dict())
    with open(rows_path) as file:  # noqa: PTH123  (a script for another interpreter, kept plain)
        theirs = [strategy.tokenize_prompt(json.loads(line)) for line in file]
    ours = load_from_disk(tokenized)
    assert len(ours) == len(theirs), (len(ours), len(theirs))
    for place, (mine, other) in enumerate(zip(ours, theirs, strict=True), 1):
        for key in ("input_ids", "labels"):
            assert mine[key] == list(other[key]), (
                f"row {place}: {key} differ\n{mine[key]}\n{other[key]}\n"
                f"{tokenizer.convert_ids_to_tokens(mine['input_ids'])}\n"
                f"{tokenizer.convert_ids_to_tokens(other['input_ids'])}"
            )
    starts = {tokenizer.convert_ids_to_tokens(row["input_ids"][0]) for row in ours}
    used = {token for row in ours for token in tokenizer.convert_ids_to_tokens(row["input_ids"])}
    print(json.dumps({"rows": len(theirs), "starts": sorted(starts), "added": sorted(used & set(config.tokens or []))}))


if __name__ == "__main__":
    main()
