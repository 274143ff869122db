"""The settings of a LLaMA-Factory configuration while they are imported, with the record of what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ftrun_plugins.importing.draft import Recorder


@dataclass
class Settings:
    """Values of the configuration, and the trainer keys that are made of them.

    Attributes:
        values: Values of the configuration, without null.
        record: Record of the keys.
        train: Trainer keys, by axolotl's names.
        defaults: Trainer keys that have the defaults of LLaMA-Factory.
        done: Keys that are recorded.
    """

    values: Mapping[str, Any]
    record: Recorder
    train: dict[str, Any] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value, or the default for an absent or empty one."""
        value = self.values.get(key)
        return default if value is None else value

    def exact(self, key: str, target: str | None = None) -> None:
        """Record a key with the same meaning at its target."""
        if self._starts(key):
            self.record.exact((key,), target)

    def changed(self, key: str, target: str | None, reason: str) -> None:
        """Record a key with the same meaning by another key or value."""
        if self._starts(key):
            self.record.changed((key,), target, reason)

    def check(self, key: str, target: str | None, reason: str) -> None:
        """Record a key that the user must look at, also if the configuration lacks it."""
        if key not in self.done:
            self.done.add(key)
            self.record.check((key,), target, reason)

    def leave_out(self, key: str, reason: str) -> None:
        """Record a key that does not change the training."""
        if self._starts(key):
            self.record.leave_out((key,), reason)

    def refuse(self, key: str, reason: str, hint: str | None = None, did_you_mean: tuple[str, ...] = ()) -> None:
        """Record a key without a way in, also if the configuration lacks it."""
        if key not in self.done:
            self.done.add(key)
            self.record.refuse((key,), reason, hint, did_you_mean)

    def set(self, key: str, name: str, value: Any) -> None:
        """Set a trainer key to the value of a key, or to a default of LLaMA-Factory if the configuration lacks it."""
        self.train[name] = value
        if key in self.values:
            self.exact(key, f"train.{name}")
        else:
            self.defaults[name] = value

    def _starts(self, key: str) -> bool:
        """Mark a key as recorded, and return whether it was in the configuration and not recorded before."""
        if key in self.done or key not in self.values:
            return False
        self.done.add(key)
        return True


def split_list(value: Any) -> list[str]:
    """Return the items of a list, or of a text with commas."""
    items = value if isinstance(value, list) else str(value).split(",") if value is not None else []
    return [text for item in items if (text := str(item).strip())]
