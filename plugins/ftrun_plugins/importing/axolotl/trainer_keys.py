"""Trainer keys of an axolotl configuration: those that a recipe takes over, and those that it replaces or refuses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ftrun.api.issues import Issue
from ftrun.api.redaction import is_secret
from ftrun_plugins.axolotl.config import schema
from ftrun_plugins.axolotl.config.build import RESERVED_KEYS, UNSET_VALUES
from ftrun_plugins.axolotl.config.package_keys import CUT_PLUGIN
from ftrun_plugins.axolotl.config.range_check import check_ranges
from ftrun_plugins.axolotl.config.unsupported_keys import (
    BENCHMARK,
    HUB,
    INTERNAL,
    NOT_READ,
    OFFLINE,
    OTHER_COMMAND,
    RAY,
    SELECTS_NOTHING,
    UNSUPPORTED,
    check_unsupported,
)
from ftrun_plugins.importing.axolotl.datasets import DATASET_KEYS, holds_out
from ftrun_plugins.importing.axolotl.fsdp import FSDP_KEYS
from ftrun_plugins.importing.axolotl.model import MODEL_KEYS
from ftrun_plugins.importing.draft import Recorder

HANDLED = frozenset((*DATASET_KEYS, *MODEL_KEYS, *FSDP_KEYS, "deepspeed"))
NO_TRAINING = (HUB, OFFLINE, BENCHMARK, OTHER_COMMAND, INTERNAL, NOT_READ)  # limitations that change no training
EVALUATION_KEYS = (
    "evals_per_epoch", "eval_steps", "eval_strategy", "evaluation_strategy", "eval_sample_packing", "eval_table_size",
    "eval_max_new_tokens", "eval_on_start", "do_causal_lm_eval", "eval_causal_lm_metrics",
)  # fmt: skip
FRESH_START = "ftrun starts from the base model; it resumes only its own runs, with `ftrun resume`"
NEED_A_LOOK = {
    "resume_from_checkpoint": FRESH_START,
    "lora_model_dir": "ftrun trains a new adapter; merge the old one into the base model first to continue from it",
}
CUT = (
    "its package comes from no package index, so the environment `trainer` does not have it; the loss is the same, and "
    "train.liger_fused_linear_cross_entropy=true saves the same memory"
)
SWANLAB_PLUGIN = "axolotl.integrations.swanlab.SwanLabPlugin"
TRACKER = re.compile(r"(use_|hf_)?(swanlab|otel_metrics|mlflow|comet)(_.*)?")
NO_TRACKER = "the environment `trainer` does not have the package of this tracker; to use it, name a lock that does"
NO_FLASH = "the environment `trainer` does not have its package; the same attention, slower"
OWN_VARIABLE = "a recipe contains no secrets; set the variable of the service instead"
LEFT_OUT_PLUGINS = {CUT_PLUGIN: CUT, SWANLAB_PLUGIN: NO_TRACKER}
IGNORED = "axolotl does not know this key and ignores it"
EMPTY: tuple[object, ...] = (None, "", [], {})


def read_trainer_keys(values: Mapping[str, Any], record: Recorder) -> dict[str, Any]:
    """Return the keys for `train`. Those that are the same are not recorded yet, because an option may set them."""
    keys: dict[str, Any] = {}
    values = _without_absent_plugins(_without_batch_size(values, record), record)
    issues = _find_issues(values)
    for key, value in values.items():
        issue = issues.get(key)
        if key.startswith("cut_cross_entropy"):
            record.leave_out((key,), CUT)
        elif is_secret(key, value):
            record.leave_out((key,), OWN_VARIABLE)
        elif value and TRACKER.fullmatch(key):
            record.check((key,), None, NO_TRACKER)
        elif (key, value) == ("attn_implementation", "flash_attention_4"):
            keys[key] = "sdpa"
            record.changed((key,), f"train.{key}", NO_FLASH)
        elif key in HANDLED and not (issue and key in ("base_model_config", "tokenizer_config")):
            if value is None and key not in FSDP_KEYS:
                record.exact((key,))
        elif key in UNSUPPORTED and value in SELECTS_NOTHING:
            record.exact((key,))
        elif key in RESERVED_KEYS:
            _read_reserved(key, value, record)
        elif issue is not None and value is not None:
            _read_issue(key, value, issue, keys, values, record)
        elif issue is not None:
            record.leave_out((key,), IGNORED)
        elif value is None and schema.default_of(key) not in (None, False):
            keys[key] = None  # in axolotl, null replaces the default
        elif value in EMPTY or (key in UNSET_VALUES and value == UNSET_VALUES[key]):
            record.exact((key,))
        elif key in EVALUATION_KEYS and not holds_out(values):
            record.leave_out((key,), "no rows are held out, so axolotl does not evaluate")
        else:
            keys[key] = _keep_two_checkpoints(key, value, record)
    return keys


def _without_batch_size(values: Mapping[str, Any], record: Recorder) -> Mapping[str, Any]:
    """Leave out a `batch_size` that is the product of the other two keys. Any other one has a fault in axolotl."""
    micro, steps = values.get("micro_batch_size"), values.get("gradient_accumulation_steps") or 1
    product = micro * steps if isinstance(micro, int) and isinstance(steps, int) else None
    if product is None or values.get("batch_size") != product:
        return values
    record.exact(("batch_size",))
    return {key: value for key, value in values.items() if key != "batch_size"}


def _without_absent_plugins(values: Mapping[str, Any], record: Recorder) -> Mapping[str, Any]:
    """Leave out the plugins whose packages the shipped lock does not have, and that do not change the training."""
    plugins = values.get("plugins")
    if not isinstance(plugins, list):
        return values
    for index, plugin in enumerate(plugins):
        if plugin in LEFT_OUT_PLUGINS:
            record.leave_out(("plugins", index), LEFT_OUT_PLUGINS[plugin])
    return {**values, "plugins": [plugin for plugin in plugins if plugin not in LEFT_OUT_PLUGINS]}


def _keep_two_checkpoints(key: str, value: Any, record: Recorder) -> Any:
    if (key, value) != ("save_total_limit", 1):
        return value
    reason = "with 1, the trainer removes a checkpoint before the next one is complete"
    record.changed((key,), f"train.{key}", reason)
    return 2


def _find_issues(values: Mapping[str, Any]) -> dict[str, Issue]:
    """Return the first issue of each top-level key, in the order of the checks of a recipe."""
    others = {key: value for key, value in values.items() if key not in HANDLED or key in MODEL_KEYS}
    same_files = {
        key for key in ("base_model_config", "tokenizer_config") if values.get(key) == values.get("base_model")
    }
    supported = {key: value for key, value in others.items() if key not in same_files}
    checks = (check_unsupported(supported, {}), schema.check(others), check_ranges(others))
    issues: dict[str, Issue] = {}
    for check in checks:
        for issue in check:
            key = str(issue.path[0])
            if key in values and key not in RESERVED_KEYS:
                issues.setdefault(key, issue)
    issues |= {key: Issue("unknown-key", (key,), IGNORED) for key in values if key not in schema.known_keys()} | {
        key: issue for key, issue in issues.items() if key not in schema.known_keys()
    }
    return issues


def _read_reserved(key: str, value: Any, record: Recorder) -> None:
    if value in (*EMPTY, False):
        record.exact((key,))
    elif key in NEED_A_LOOK:
        record.check((key,), None, NEED_A_LOOK[key])
    elif key == "pretraining_dataset":
        reason = "axolotl streams it, and ftrun prepares every row before training starts"
        record.refuse((key,), reason, RESERVED_KEYS[key])
    else:
        record.leave_out((key,), RESERVED_KEYS[key])


def _read_issue(
    key: str, value: Any, issue: Issue, keys: dict[str, Any], values: Mapping[str, Any], record: Recorder
) -> None:
    if issue.code == "unknown-key" and len(issue.path) == 1:
        if issue.did_you_mean:
            record.check((key,), None, IGNORED, issue.did_you_mean)
        else:
            record.leave_out((key,), IGNORED)
    elif UNSUPPORTED.get(key) in NO_TRAINING:
        record.leave_out((key,), UNSUPPORTED[key].reason)
    elif UNSUPPORTED.get(key) is RAY:
        record.check((key,), None, f"{RAY.reason}; {RAY.hint}")
    elif issue.code == "no-effect":
        record.leave_out((key,), f"it has no effect without `{issue.expected}`")
    elif key in schema.known_keys() and (use := schema.deprecated_keys().get(key)) is not None:
        _replace_deprecated(key, value, use, keys, values, record)
    else:
        hint = issue.hint or (f"expected: {issue.expected}" if issue.expected else None)
        record.refuse(issue.path, issue.what, hint, issue.did_you_mean)


def _replace_deprecated(
    key: str, value: Any, use: tuple[str, ...], keys: dict[str, Any], values: Mapping[str, Any], record: Recorder
) -> None:
    """Write the key that axolotl has now in place of one that is deprecated."""
    if value is False:
        record.exact((key,))
        return
    if key in EVALUATION_KEYS and not holds_out(values):
        record.leave_out((key,), "no rows are held out, so axolotl does not evaluate")
        return
    if len(use) != 1 or "." in use[0]:
        reason = f"axolotl has other keys now: {', '.join(use)}" if use else "axolotl no longer has it"
        record.check((key,), None, reason)
        return
    name, _, text = use[0].partition(": ")
    if name in values:
        record.leave_out((key,), f"`{name}` takes its place")
        return
    keys[name] = text or value
    record.changed((key,), f"train.{name}", f"axolotl calls it `{use[0]}` now")
