"""Detection of the tool that a configuration belongs to, by keys that occur together only there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ftrun.api.errors import InvalidInput, Problem
from ftrun_plugins.importing.draft import ImportContext

Tool = Literal["axolotl", "LLaMA-Factory", "OpenAI"]
# A configuration belongs to a tool if it has the first key and one of the others.
MARKS: Mapping[Tool, tuple[str, frozenset[str]]] = {
    "axolotl": (
        "base_model",
        frozenset(
            ("datasets", "pretraining_dataset", "test_datasets", "micro_batch_size", "sequence_len", "adapter", "rl")
        ),
    ),
    "LLaMA-Factory": (
        "model_name_or_path",
        frozenset(("stage", "finetuning_type", "dataset", "template", "dataset_dir", "cutoff_len")),
    ),
    "OpenAI": ("training_file", frozenset(("model", "hyperparameters", "method", "suffix", "validation_file"))),
}
V1_KEYS = frozenset(("model_class", "train_dataset", "peft_config", "dist_config", "kernel_config"))
EXPECTED = "a training configuration of axolotl or LLaMA-Factory, or a fine-tuning job of OpenAI"


def detect_tool(values: Mapping[str, Any], context: ImportContext) -> Tool:
    """Return the tool that the configuration belongs to.

    Raises:
        InvalidInput: If it belongs to no known tool, or is a recipe of ftrun.
    """
    for tool, (mark, others) in MARKS.items():
        if mark in values and not others.isdisjoint(values):
            return tool
    at = str(context.file)
    if isinstance(values.get("model"), str) and not V1_KEYS.isdisjoint(values):
        what = "the file is in the v1 format of LLaMA-Factory, which ftrun does not import"
        hint = "write the configuration in LLaMA-Factory's other format, with `model_name_or_path`, or write a recipe"
        raise InvalidInput(Problem("unknown-configuration", what, at, EXPECTED, hint=hint))
    if "defaults" in values or any(isinstance(values.get(key), dict) for key in ("train", "model", "dataset")):
        what, hint = "the file is already a recipe of ftrun", f"ftrun validate recipe={context.file}"
        raise InvalidInput(Problem("unknown-configuration", what, at, EXPECTED, hint=hint))
    known = {tool: next(iter(sorted(others & values.keys())), None) for tool, (_, others) in MARKS.items()}
    missing = [f"{tool}: the key `{MARKS[tool][0]}` is missing" for tool, key in known.items() if key]
    what = "the file is no training configuration that ftrun knows" + (f" ({'; '.join(missing)})" if missing else "")
    raise InvalidInput(Problem("unknown-configuration", what, at, EXPECTED))
