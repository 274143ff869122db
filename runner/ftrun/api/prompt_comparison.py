"""Comparison of the prompts of a training, token by token, with those that the served model gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ftrun.api.errors import Problem
from ftrun.api.prompts import Prompt

__all__ = ["TrainedPrompt", "check_begin_tokens", "compare_tokens", "limit", "trained_prompt"]

IGNORED = -100  # label of a token that is not trained
MAX_SHOWN = 3  # maximum number of reported rows with the same kind of error
CONTEXT = 4  # number of tokens shown on each side of a difference


@dataclass(frozen=True)
class TrainedPrompt:
    """Prompt with its token ids in training, and the last trained token of its row."""

    prompt: Prompt
    ids: list[int]
    last: int


def trained_prompt(prompt: Prompt, ids: Sequence[int], labels: Sequence[int]) -> TrainedPrompt:
    """Return the prompt with the tokens before the last trained sequence of its row. The row trains a token."""
    end = max(index for index, label in enumerate(labels) if label != IGNORED)
    start = end
    while start and labels[start - 1] != IGNORED:
        start -= 1
    return TrainedPrompt(prompt, list(ids[:start]), labels[end])


def compare_tokens(
    rows: Iterable[TrainedPrompt],
    tokenize: Callable[[Prompt], list[int]],
    tokenizer: Any,
    name: str,
    hint: Callable[[Prompt], str | None] = lambda prompt: None,
) -> Iterator[Problem]:
    """Yield a problem for each row whose prompt has other tokens than in training.

    Args:
        rows: The prompts with their tokens in training.
        tokenize: Returns the token ids of a prompt as the served model gets them.
        tokenizer: The tokenizer that decodes the tokens for messages.
        name: What tokenizes the prompts, for messages.
        hint: Returns the way on for the prompt of a row.
    """
    for row in rows:
        ids = tokenize(row.prompt)
        if ids != row.ids:
            place = next(
                (at for at, (before, after) in enumerate(zip(row.ids, ids, strict=False)) if before != after),
                min(len(row.ids), len(ids)),
            )
            yield Problem(
                "parity",
                f"{name} tokenizes the prompt differently than in training, from token {place + 1} on: "
                f"{_decode_part(ids, place, tokenizer)}",
                at=row.prompt.place,
                expected=_decode_part(row.ids, place, tokenizer),
                hint=hint(row.prompt),
            )


def check_begin_tokens(
    rows: Iterable[TrainedPrompt], tokenize: Callable[[Prompt], list[int]], tokenizer: Any, name: str
) -> Iterator[Problem]:
    """Yield a problem for each prompt, as trained or as served, that begins with two begin tokens."""
    begin = tokenizer.bos_token_id
    for row in rows:
        for use, ids in (("trained", row.ids), ("served", tokenize(row.prompt))):
            if begin is not None and ids[:2] == [begin, begin]:
                yield Problem(
                    "parity",
                    f"with {name}, a {use} prompt begins with two begin tokens {tokenizer.bos_token!r}",
                    at=row.prompt.place,
                    hint="remove the begin token from the template, because the tokenizer adds it",
                )


def limit(problems: Iterable[Problem]) -> list[Problem]:
    """Return the first problems, and one that counts the others."""
    shown = list(problems)
    if len(shown) <= MAX_SHOWN:
        return shown
    return [*shown[:MAX_SHOWN], Problem("parity", f"and {len(shown) - MAX_SHOWN} more rows with the same error")]


def _decode_part(ids: Sequence[int], place: int, tokenizer: Any) -> str:
    part = ids[max(0, place - CONTEXT) : place + CONTEXT]
    return " ".join(repr(tokenizer.decode([token])) for token in part) + (" …" if place + CONTEXT < len(ids) else "")
