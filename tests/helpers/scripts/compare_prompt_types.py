"""Tokenizes rows by axolotl's own datasets and by ftrun's stage `tokenize`, and prints both.

    trainer/bin/python compare_prompt_types.py CASES.json MODEL FOLDER

CASES.json has, by name: `entry`, an entry of axolotl's `datasets`; `rows`; `kind` and `examples`, what ftrun's
formatter made of the rows; `trainer` and `dataset`, keys for both;
`tokenizers`, `plain` or `begin`. Prints JSON: by name of the case and of the
tokenizer, whether it writes a begin token, the ids and labels of both.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

BEGIN = "<|im_start|>"
Cases = dict[str, dict[str, Any]]
Rows = list[dict[str, list[int]]]
THEIRS = ("trainer",)  # values that cases share if one configuration serves them
OURS = ("trainer", "kind", "dataset")


def main() -> None:
    cases_path, model, folder = map(Path, sys.argv[1:])
    sys.argv = sys.argv[:1]  # axolotl reads the command line, too
    cases: Cases = json.loads(cases_path.read_text())
    models = {"plain": model, "begin": with_begin_token(model, folder / "begin")}
    results: dict[str, dict[str, Any]] = {}
    for tokenizer, path in models.items():
        chosen = {name: case for name, case in cases.items() if tokenizer in case["tokenizers"]}
        for side, tokenize, keys in (("axolotl", by_axolotl, THEIRS), ("ftrun", by_ftrun, OURS)):
            for number, group in enumerate(grouped(chosen, keys)):
                made = tokenize(group, path, folder / tokenizer / side / str(number))
                for name, rows in made.items():
                    results.setdefault(f"{name} {tokenizer}", {})[side] = rows
    print(json.dumps(results), flush=True)
    os._exit(0)  # threads of the pools of `datasets` keep the process


def grouped(cases: Cases, keys: tuple[str, ...]) -> list[Cases]:
    """Put cases that one configuration can serve together, because loading it takes seconds."""
    groups: dict[str, Cases] = {}
    for name, case in cases.items():
        groups.setdefault(json.dumps([case[key] for key in keys]), {})[name] = case
    return list(groups.values())


def with_begin_token(model: Path, target: Path) -> Path:
    """Copy a model's files with a tokenizer that writes a begin token, as those of Llama do."""
    from tokenizers import Tokenizer
    from tokenizers.processors import TemplateProcessing

    shutil.copytree(model, target)
    path = target / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.post_processor = TemplateProcessing(
        single=f"{BEGIN} $A", special_tokens=[(BEGIN, tokenizer.token_to_id(BEGIN))]
    )
    path.unlink()
    tokenizer.save(str(path))
    settings = json.loads((target / "tokenizer_config.json").read_text())
    (target / "tokenizer_config.json").unlink()
    (target / "tokenizer_config.json").write_text(json.dumps({**settings, "bos_token": BEGIN}))
    return target


def by_axolotl(cases: Cases, model: Path, work: Path) -> dict[str, Rows]:
    from axolotl.cli.config import load_cfg
    from axolotl.loaders import load_tokenizer
    from axolotl.utils.data.sft import _parse_dataset_type
    from axolotl.utils.data.wrappers import get_dataset_wrapper
    from datasets import Dataset

    from ftrun_plugins.axolotl.workspace import MODEL, NO_TRAINING, chdir_offline, write_workspace

    trainer = next(iter(cases.values()))["trainer"]
    entries = [{"path": "rows.jsonl", **case["entry"]} for case in cases.values()]
    path = write_workspace(work, {**NO_TRAINING, **trainer, "datasets": entries}, {MODEL: model})
    with chdir_offline(work):
        cfg = load_cfg(path.name, is_preprocess=True)
        cfg.dataset_num_proc = 1
        tokenizer = load_tokenizer(cfg)
        made: dict[str, Rows] = {}
        for (name, case), entry in zip(cases.items(), cfg.datasets, strict=True):
            base, style = _parse_dataset_type(entry.type)
            rows = Dataset.from_list(case["rows"])
            dataset, _ = get_dataset_wrapper(entry, tokenizer, cfg, base, rows, style)
            made[name] = [{"ids": list(row["input_ids"]), "labels": list(row["labels"])} for row in dataset]
        return made


def by_ftrun(cases: Cases, model: Path, work: Path) -> dict[str, Rows]:
    from ftrun_plugins.axolotl.tokenize.params import Params
    from ftrun_plugins.axolotl.tokenize.row_tokenizer import RowTokenizer

    first = next(iter(cases.values()))
    params = Params(
        trainer=first["trainer"],
        dataset=first["dataset"],
        trust_remote_code=False,
        max_cut=1,
        untrained_end_of_turn=True,
        on_template_loss="report",
        on_prompt_mismatch="stop",
        packed_split=None,
    )
    context: Any = SimpleNamespace(
        work=work, inputs={"model": model}, report=SimpleNamespace(warning=print, note=print)
    )
    worker = RowTokenizer(params, first["kind"], context)
    made: dict[str, Rows] = {}
    for name, case in cases.items():
        tokens = [worker.tokenize({"place": "row", **example}) for example in case["examples"]]
        assert not any(row.fault for row in tokens), [row.fault for row in tokens]
        made[name] = [{"ids": row.ids, "labels": row.labels} for row in tokens]
    return made


if __name__ == "__main__":
    main()
