from __future__ import annotations

from typing import Any

from ftrun_plugins.evaluation.row_sample import sample

ROWS: list[dict[str, Any]] = [{"place": f"a:{number}", "text": f"row {number}"} for number in range(200)]


def chosen(examples: list[dict[str, Any]], rows: int, seed: int = 0) -> set[str]:
    return {examples[index]["text"] for index in sample(examples, rows, seed)}


def test_rows_come_from_everywhere_and_stay_in_order() -> None:
    indexes = sample(ROWS, 50, 0)
    assert indexes == sorted(set(indexes))
    assert len(indexes) == 50
    assert 15 <= sum(index < 100 for index in indexes) <= 35
    assert sample(ROWS, 500, 0) == list(range(200))


def test_the_order_of_rows_and_their_places_do_not_matter() -> None:
    moved = [{**row, "place": "b:1"} for row in reversed(ROWS)]
    assert chosen(moved, 50) == chosen(ROWS, 50)
    assert chosen(ROWS, 50, seed=1) != chosen(ROWS, 50)


def test_few_new_rows_change_little() -> None:
    assert len(chosen(ROWS, 50) & chosen(ROWS[:190], 50)) >= 40
    assert chosen(ROWS, 20) < chosen(ROWS, 50)


def test_duplicates_are_rows_of_their_own() -> None:
    assert len(sample([{"place": "a:1", "text": "x"}] * 10, 4, 0)) == 4
