from __future__ import annotations

from typing import Any

import pytest

from ftrun.api.stage_call import Component, EnvironmentRef, Plan, Ref, StageCall
from ftrun.planning.cache_miss import differences, explain_miss

OLD_FILE, NEW_FILE = "1" * 64, "2" * 64
BASE: dict[str, Any] = {
    "stage": "format",
    "version": 1,
    "params": {"rate": 0.1, "file": OLD_FILE, "names": ["a", "b"], "inner": {"deep": None}},
    "inputs": {"data": Ref(stage="fetch", key="1" * 32)},
    "environment": EnvironmentRef(name="trainer", digest="2" * 32),
    "components": {"formatter:chat": Component(implementation="a:B", source="3" * 64)},
    "label": "format",
    "implementation": "a:Format",
    "files": {NEW_FILE: "/data/rows.jsonl"},
}


def why(**changes: Any) -> list[str]:
    last = Plan(recipe="mine", calls=(StageCall(**BASE),))
    return explain_miss(StageCall(**{**BASE, **changes}), last)


def params(**changes: Any) -> dict[str, Any]:
    return {"params": {**BASE["params"], **changes}}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "not finished by the last run, or removed since"),
        ({"label": "format:other"}, "new in this recipe"),
        (params(rate=0.2), "rate: 0.1 -> 0.2"),
        (params(rate=None), "rate: 0.1 -> unset"),
        (params(new=5), "new: unset -> 5"),
        (params(inner={"deep": 3}), "inner.deep: unset -> 3"),
        (params(names=["a", "c"]), "names[1]: b -> c"),
        (params(names=["a"]), "names: [a, b] -> [a]"),
        (params(rate="x" * 60), f"rate: 0.1 -> {'x' * 39}…"),
        (params(file=NEW_FILE), "the content of /data/rows.jsonl changed"),
        (params(file="5" * 64), "file changed"),
        (params(inner={"deep": None, "api_key": "hunter2"}), "inner.api_key changed"),
        (params(rate="https://me:hunter2@host"), "rate changed"),
        ({"inputs": {"data": Ref(stage="fetch", key="9" * 32)}}, "the input `data` changed"),
        ({"inputs": {}}, "the input `data` changed"),
        ({"version": 2}, "the version of the stage is 2, was 1"),
        ({"environment": EnvironmentRef(name="trainer", digest="9" * 32)}, "the environment `trainer` changed"),
        (
            {"components": {"formatter:chat": Component(implementation="a:B", source="9" * 64)}},
            "the code of formatter chat changed",
        ),
    ],
)
def test_one_difference_is_one_reason(changes: dict[str, Any], told: str) -> None:
    assert why(**changes) == [told]


def test_the_first_run_of_a_recipe_has_nothing_to_compare_with() -> None:
    assert explain_miss(StageCall(**BASE), None) == ["never ran"]


def test_of_many_differences_three_are_told_and_the_rest_counted() -> None:
    told = why(**params(a=1, b=2, c=3, d=4, e=5))
    assert told == ["a: unset -> 1", "b: unset -> 2", "c: unset -> 3", "and 2 more"]


def test_each_difference_has_a_kind() -> None:
    changes: dict[str, Any] = {
        **params(rate=0.2, file=NEW_FILE),
        "version": 2,
        "inputs": {},
        "environment": EnvironmentRef(name="trainer", digest="9" * 32),
        "components": {"formatter:chat": Component(implementation="a:B", source="9" * 64)},
    }
    found = differences(StageCall(**BASE), StageCall(**{**BASE, **changes}))
    assert [kind for kind, _ in found] == ["input", "code", "version", "environment", "param", "content"]
