"""The DeepSpeed configuration of an axolotl configuration: a file, a mapping, or the name of one of axolotl's files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from ftrun_plugins.importing.axolotl.optimizations import find_zero
from ftrun_plugins.importing.draft import Recorder
from ftrun_plugins.importing.options import read_options

KEY = ("deepspeed",)
COMPILE = {"disable": False, "backend": "inductor"}


@dataclass(frozen=True)
class Preset:
    """Option of ftrun in place of a file that `axolotl fetch deepspeed_configs` writes, and its difference from it."""

    option: str
    difference: str = "ftrun's option takes its place"
    without: str | None = None  # a key of `zero_optimization` that the file does not have
    compile: bool = False


STATES_ON_GPU = "ftrun's option takes its place, and keeps the states of the optimizer on the GPUs, not on the CPU"
PRESETS = {
    "zero1": Preset("zero1"),
    "zero1_torch_compile": Preset("zero1", compile=True),
    "zero2": Preset("zero2", STATES_ON_GPU),
    "zero2_torch_compile": Preset("zero2", STATES_ON_GPU, compile=True),
    "zero3": Preset("zero3"),
    "zero3_bf16": Preset("zero3"),
    "zero3_bf16_cpuoffload_all": Preset("zero3_offload"),
    "zero3_bf16_cpuoffload_params": Preset("zero3_offload", without="offload_optimizer"),
}


def read_deepspeed(values: Mapping[str, Any], record: Recorder) -> tuple[str | None, Any]:
    """Return the option of the group `optimizations`, or the value of `train.deepspeed`."""
    given = values.get("deepspeed")
    if not given:
        if given is not None:
            record.exact(KEY)
        return None, None
    if isinstance(given, str):
        file = record.context.find(given)
        if file is None or not file.is_file():
            return _choose_preset(given, record)
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


def _choose_preset(path: str, record: Recorder) -> tuple[str | None, Any]:
    preset = PRESETS.get(PurePath(path).stem)
    if preset is None:
        reason = f"`deepspeed` is `{path[:80]}`, but there is no such file here"
        record.refuse(KEY, reason, "run the import where the file is, or use zero1, zero2, zero3 or zero3_offload")
        return None, None
    reason = f"`{path[:80]}` is not here; {preset.difference}"
    if not preset.compile and preset.without is None:
        record.changed(KEY, f"optimizations.{preset.option}", reason)
        return preset.option, None
    record.changed(KEY, "train.deepspeed", reason)
    content = dict(read_options("optimizations")[preset.option][preset.option]["deepspeed"])
    zero = content["zero_optimization"]
    content["zero_optimization"] = {key: value for key, value in zero.items() if key != preset.without}
    return None, content | ({"compile": COMPILE} if preset.compile else {})


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
