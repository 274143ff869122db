"""Comparison of trained prompts with served ones, on tokens that are the characters of a text."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ftrun.api.prompt_comparison import TrainedPrompt, check_begin_tokens, compare_tokens, limit, trained_prompt
from ftrun.api.prompts import Prompt, make_prompt

UNTRAINED = -100


class Characters:
    """Tokenizer whose tokens are characters."""

    bos_token, bos_token_id = "^", ord("^")

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(map(chr, ids))


def ids(text: str) -> list[int]:
    return [ord(character) for character in text]


def trained(text: str, answer: str, number: int = 1) -> TrainedPrompt:
    labels = [UNTRAINED] * len(text) + ids(answer)
    return trained_prompt(Prompt(number, f"rows.jsonl:{number}", answer), ids(text + answer), labels)


@pytest.mark.parametrize(
    ("labels", "start", "last"),
    [
        ([UNTRAINED, UNTRAINED, 7, 8], 2, 8),
        ([UNTRAINED, 5, UNTRAINED, 7, UNTRAINED], 3, 7),
        ([5, 6], 0, 6),
    ],
)
def test_the_prompt_ends_where_the_last_trained_sequence_begins(labels: list[int], start: int, last: int) -> None:
    row = trained_prompt(Prompt(0, "rows.jsonl:1", ""), range(len(labels)), labels)
    assert (row.ids, row.last) == (list(range(start)), last)


def test_equal_prompts_have_no_problem() -> None:
    assert list(compare_tokens([trained("user: a>", "b")], lambda prompt: ids("user: a>"), Characters(), "it")) == []


@pytest.mark.parametrize(
    ("served", "shown"),
    [("user: a>T", "'T'"), ("user: a", "'a'"), ("uzer: a>", "'u' 'z'"), ("", "")],
    ids=["longer", "shorter", "another", "empty"],
)
def test_other_tokens_are_shown_with_those_of_the_training(served: str, shown: str) -> None:
    rows = [trained("user: a>", "b", number=3)]
    hint = "set a.b=c"
    (problem,) = compare_tokens(rows, lambda prompt: ids(served), Characters(), "the engine", lambda prompt: hint)
    assert (problem.code, problem.at, problem.hint) == ("parity", "rows.jsonl:3", hint)
    assert shown in problem.what
    assert problem.what.startswith("the engine")
    assert problem.expected


@pytest.mark.parametrize(("text", "served", "count"), [("^a", "^a", 0), ("^^a", "^a", 1), ("^^a", "^^a", 2)])
def test_two_begin_tokens_are_found_in_trained_and_served_prompts(text: str, served: str, count: int) -> None:
    problems = list(check_begin_tokens([trained(text, "b")], lambda prompt: ids(served), Characters(), "it"))
    assert [problem.code for problem in problems] == ["parity"] * count


def test_many_problems_are_counted() -> None:
    rows = [trained("a>", "b", number) for number in range(9)]
    problems = limit(compare_tokens(rows, lambda prompt: ids("c"), Characters(), "it"))
    assert len(problems) == 4
    assert problems[-1].what.startswith("and 6 more")


def test_a_prompt_holds_all_before_the_last_trained_answer() -> None:
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
        {"role": "assistant", "content": "d", "train": False},
    ]
    assert make_prompt(0, {"place": "x:1", "messages": turns}).messages == turns[:1]
    segments = [{"text": "a", "label": False}, {"text": "b", "label": True}]
    assert make_prompt(0, {"place": "x:1", "segments": segments}).segments == ["a"]
