"""The DeepSpeed configuration of an axolotl configuration: a file, a mapping, or the name of one of axolotl's files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from ftrun_plugins.importing.axolotl.optimizations import find_zero
from ftrun_plugins.importing.draft import Recorder

KEY = ("deepspeed",)
# Files that `axolotl fetch deepspeed_configs` writes, with the option of ftrun that does the same.
PRESETS = {
    "zero1": "zero1",
    "zero2": "zero2",
    "zero3": "zero3",
    "zero3_bf16": "zero3",
    "zero3_bf16_cpuoffload_all": "zero3_offload",
}


def read_deepspeed(values: Mapping[str, Any], record: Recorder) -> tuple[str | None, Any]:
    """Return the option of the group `optimizations`, or the value of `train.deepspeed`."""
    given = values.get("deepspeed")
    if not given:
        return None, None
    if isinstance(given, str):
        file = record.context.find(given)
        if file is None or not file.is_file():
            return _choose_preset(given, record), None
        given = _read_json(file, record)
        if given is None:
            return None, None
    elif not isinstance(given, dict):
        record.refuse(KEY, "`deepspeed` is neither a file nor a mapping")
        return None, None
    if name := find_zero(given):
        record.exact(KEY, f"optimizations.{name}")
        return name, None
    if values.get("deepspeed") is given:
        record.exact(KEY, "train.deepspeed")
    else:
        record.changed(KEY, "train.deepspeed", "the content of the file, in place of its path")
    return None, given


def _choose_preset(path: str, record: Recorder) -> str | None:
    option = PRESETS.get(PurePath(path).stem)
    if option is None:
        reason = f"`deepspeed` is `{path[:80]}`, but there is no such file here"
        record.refuse(KEY, reason, "run the import where the file is, or use zero1, zero2, zero3 or zero3_offload")
        return None
    reason = f"`{path}` is not here; ftrun's preset `{option}` takes the place of axolotl's file of this name"
    record.changed(KEY, f"optimizations.{option}", reason)
    return option


def _read_json(file: Path, record: Recorder) -> Any:
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        record.refuse(KEY, f"the file of `deepspeed` cannot be read: {str(error)[:200]}", "correct the file")
        return None
    if isinstance(content, dict):
        return content
    record.refuse(KEY, "the file of `deepspeed` holds no JSON object", "correct the file")
    return None
