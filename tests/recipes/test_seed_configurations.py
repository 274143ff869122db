"""What our recipes render, against the configurations that they come from, key by key."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from ftrun.plugins.manager import plugins
from ftrun.recipe.load import load
from helpers.seed_configurations import FOLDER, THEIRS, flat, rendered, theirs

LISTED = yaml.safe_load((Path(__file__).parent / "differences.yaml").read_text())
ENTRIES = [entry for entries in LISTED.values() for entry in entries]
Difference = tuple[str, str, str]


@cache
def ours(name: str) -> dict[str, Any]:
    return rendered(load([f"recipe={name}"], plugins()).recipe)


def listed(name: str) -> set[Difference]:
    wanted = [entry for entry in ENTRIES if entry["recipes"] == "all" or name in entry["recipes"]]
    return {(entry["key"], repr(entry["theirs"]), repr(entry["ours"])) for entry in wanted}


def found(name: str) -> set[Difference]:
    one, other = theirs(name), ours(name)
    both: dict[str, tuple[Any, Any]] = {key: (one.get(key), other.get(key)) for key in {*one, *other}}
    return {(key, repr(before), repr(after)) for key, (before, after) in both.items() if before != after}


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"their configurations are not in {FOLDER} (FTRUN_TEST_DATA)")
@pytest.mark.parametrize("name", THEIRS)
def test_every_difference_is_listed_and_every_listed_one_is_a_difference(name: str) -> None:
    assert found(name) == listed(name)


def test_every_listed_difference_has_a_reason_and_a_recipe() -> None:
    assert len(ENTRIES) > 20
    for entry in ENTRIES:
        assert set(entry) == {"key", "theirs", "ours", "why", "recipes"}
        assert entry["why"].strip()
        assert entry["recipes"] == "all" or set(entry["recipes"]) <= set(THEIRS)
        assert entry["recipes"]


@pytest.mark.parametrize("name", THEIRS)
def test_our_value_is_what_is_listed(name: str) -> None:
    """Also where their files are not there."""
    for key, _, value in listed(name):
        assert repr(ours(name).get(key)) == value, key


def test_values_are_flattened_to_their_keys() -> None:
    assert flat({"a": {"b": [1, 2]}, "c": [{"d": None, "e": " x\n"}], "f": None}) == {"a.b": [1, 2], "c.0.e": "x"}
