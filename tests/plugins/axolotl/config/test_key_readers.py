"""Every key of the pinned trainer has a reader, or is refused, and the stages read what the table says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ftrun_plugins.axolotl.config import build, schema
from ftrun_plugins.axolotl.config.key_ranges import RANGES
from ftrun_plugins.axolotl.config.key_readers import KEYS_BY_READER, select_keys
from ftrun_plugins.axolotl.config.unsupported_keys import UNSUPPORTED, UNSUPPORTED_PLUGINS
from ftrun_plugins.axolotl.trainer import Axolotl

PROPERTIES = json.loads((Path(schema.__file__).parent / "schema.json").read_text())["properties"]
READ = ("tokenize", "train", "merge", "serve")


def test_each_key_of_the_pinned_trainer_has_a_reader_and_no_other_key() -> None:
    classified = frozenset().union(*KEYS_BY_READER.values())
    assert sorted(schema.known_keys() - classified) == []
    assert sorted(classified - schema.known_keys()) == []


def test_an_unread_key_and_one_that_ftrun_sets_have_no_other_reader() -> None:
    for alone in ("unread", "ftrun"):
        for reader, keys in KEYS_BY_READER.items():
            assert reader == alone or not keys & KEYS_BY_READER[alone], reader


def test_all_other_keys_are_read_by_training() -> None:
    read = frozenset().union(*(KEYS_BY_READER[reader] for reader in READ))
    assert read == KEYS_BY_READER["train"]


def _refused() -> Iterator[str]:
    """The keys that `validate` refuses whenever they select something."""
    yield from UNSUPPORTED
    for key, item in PROPERTIES.items():
        if "x-deprecated" in item or item.get("x-plugin", "").rpartition(".")[2] in UNSUPPORTED_PLUGINS:
            yield key


def test_the_unread_keys_are_those_that_are_refused() -> None:
    assert KEYS_BY_READER["unread"] == set(_refused()) - KEYS_BY_READER["ftrun"]
    assert not KEYS_BY_READER["unread"] & set(RANGES)


def test_the_keys_that_ftrun_sets_are_reserved() -> None:
    assert KEYS_BY_READER["ftrun"] == set(build.RESERVED_KEYS)


class Recording(dict[str, Any]):
    """A configuration that remembers which of its keys are looked up."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)


def test_serving_reads_what_the_table_says() -> None:
    values = Recording({"adapter": "lora"})
    trainer = Axolotl()
    trainer.adapter_layout(values)
    trainer.uses_own_template(values)
    assert values.read == KEYS_BY_READER["serve"]


@pytest.mark.parametrize("reader", ["tokenize", "merge"])
def test_a_stage_gets_its_keys_and_no_others(reader: Any) -> None:
    values = {**dict.fromkeys(schema.known_keys(), 1), "sequence_len": None, "lora_r": None}
    assert set(select_keys(reader, values)) == KEYS_BY_READER[reader] - {"sequence_len", "lora_r"}
