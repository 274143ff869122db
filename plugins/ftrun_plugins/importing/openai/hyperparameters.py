"""Hyperparameters of a fine-tuning job. OpenAI says neither the learning rate nor what `auto` stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ftrun.api.issues import KeyPath
from ftrun_plugins.importing.draft import Recorder

EPOCHS = 3
BATCH = 8
LEARNING_RATE = 1e-4  # usual for LoRA
AUTO = "OpenAI chose it by the size of the data; this is a usual value"
MULTIPLIER = f"OpenAI does not publish the rate that it multiplies; this is {LEARNING_RATE:g} times the multiplier"
Keys = dict[str, Any]


def read_hyperparameters(values: Mapping[str, Any], record: Recorder) -> Keys:
    """Return the trainer keys. A job has the hyperparameters under `method`, and older jobs at the top."""
    found = {name: (value, path) for path, group in _groups(values) for name, value in group.items()}
    for path, group in _groups(values):
        for name, value in group.items():
            if found[name][1] != path or name not in READERS:
                _record_other((*path, name), value, found[name], record)
    keys: Keys = {}
    for name, reader in READERS.items():
        value, path = found.get(name, ("auto", ("hyperparameters",)))
        keys |= reader(value, (*path, name), record)
    return keys


def _groups(values: Mapping[str, Any]) -> Iterator[tuple[KeyPath, Mapping[str, Any]]]:
    """Yield the groups of hyperparameters, the one that counts last."""
    if isinstance(values.get("hyperparameters"), dict):
        yield ("hyperparameters",), values["hyperparameters"]
    method = values.get("method")
    kind = str(method.get("type", "supervised")) if isinstance(method, dict) else ""
    inner = method.get(kind) if isinstance(method, dict) else None
    if isinstance(inner, dict) and isinstance(inner.get("hyperparameters"), dict):
        yield ("method", kind, "hyperparameters"), inner["hyperparameters"]


def _record_other(path: KeyPath, value: Any, counted: tuple[Any, KeyPath], record: Recorder) -> None:
    if counted[0] != value:
        record.check(path, None, f"the value under `method` counts, which is {counted[0]}")
    elif counted[1] != path[:-1]:
        record.exact(path)
    else:
        record.check(path, None, "ftrun does not know it; look whether it changes the training")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _read_epochs(value: Any, path: KeyPath, record: Recorder) -> Keys:
    if _is_number(value):
        record.exact(path, "train.num_epochs")
        return {"num_epochs": value}
    record.check(path, "train.num_epochs", AUTO)
    return {"num_epochs": EPOCHS}


def _read_batch(value: Any, path: KeyPath, record: Recorder) -> Keys:
    if isinstance(value, int) and _is_number(value):
        reason = "rows per step on one GPU; with more memory, raise micro_batch_size and lower this value"
        record.changed(path, "train.gradient_accumulation_steps", reason)
        return {"micro_batch_size": 1, "gradient_accumulation_steps": value}
    record.check(path, "train.gradient_accumulation_steps", AUTO)
    return {"micro_batch_size": 1, "gradient_accumulation_steps": BATCH}


def _read_rate(value: Any, path: KeyPath, record: Recorder) -> Keys:
    if _is_number(value):
        record.check(path, "train.learning_rate", MULTIPLIER)
        return {"learning_rate": float(f"{LEARNING_RATE * value:.6g}")}
    record.check(path, "train.learning_rate", AUTO)
    return {"learning_rate": LEARNING_RATE}


READERS: Mapping[str, Callable[[Any, KeyPath, Recorder], Keys]] = {
    "n_epochs": _read_epochs,
    "batch_size": _read_batch,
    "learning_rate_multiplier": _read_rate,
}
