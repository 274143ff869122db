"""One look at the rows of a recipe: reads no more of them than it has to, and has them tokenized."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import default_store
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import load
from ftrun.utils.atomic_io import read_json
from ftrun_plugins.preview.formatted_rows import Examples, all_examples, first_examples
from ftrun_plugins.preview.plan import PreviewPlan, local_backend, plan_beginning, prepare
from ftrun_plugins.preview.result import PreviewResult
from ftrun_plugins.preview.row_selection import RejectedRow, RowChoice, candidates, is_at, read_rejected
from ftrun_plugins.preview.tokenized_row import TokenizedRow
from ftrun_plugins.preview.tokenizer import tokenizer_folder
from ftrun_plugins.preview.tokenizer_client import LIGHT, TRAINER, TokenizerClient, TrainerEnvironment, tokenized

REJECTED_SHOWN = 3


def build_preview(
    overrides: Sequence[str], choice: RowChoice, folder: Path, early: TokenizerClient | None = None
) -> PreviewResult:
    """The rows that were asked for.

    Args:
        overrides: They make the recipe.
        choice: Which rows.
        folder: An empty one, which may be removed afterwards.
        early: A process that was started before it was known which environment the recipe asks; it is taken where it
            is of the right one.

    Raises:
        FtrunError: the recipe or the data is wrong.
    """
    recipe, store = load(overrides, plugins()).recipe, default_store()
    backend = local_backend(recipe, plugins(), store)
    prepare(backend, TRAINER)
    trainer = TrainerEnvironment.of(recipe, backend)
    if early and early.trainer == trainer:
        looking: AbstractContextManager[TokenizerClient] = nullcontext(early)
    else:
        trainer.remember()
        looking = TokenizerClient(trainer, folder, LIGHT)
    with looking as looker:
        return PreviewBuilder(plan_beginning(recipe, plugins(), store, backend), choice, looker, folder).found()


@dataclass(frozen=True)
class PreviewBuilder:
    """One look at the rows of a recipe."""

    planned: PreviewPlan
    choice: RowChoice
    looker: TokenizerClient
    folder: Path

    def found(self) -> PreviewResult:
        """Reads no more rows than it has to."""
        if not self.choice.needs_all:
            with first_examples(self.planned) as examples:
                chosen, bad = _chosen(examples, self.choice)
                if examples.whole or _enough(chosen, bad, self.choice):
                    return self._seen(examples, chosen, bad)
        with all_examples(self.planned) as examples:
            return self._seen(examples, *_chosen(examples, self.choice))

    def _seen(self, examples: Examples, chosen: list[dict[str, Any]], bad: list[RejectedRow]) -> PreviewResult:
        if not chosen and not bad:
            raise InvalidInput(_nothing(examples, self.choice))
        rows = self._tokenized(chosen) if chosen else []
        if self.choice.way in ("longest", "shortest"):
            rows.sort(key=lambda row: row.tokens, reverse=self.choice.way == "longest")
        alone = self.choice.way == "row"
        return PreviewResult(
            recipe=self.planned.recipe.name,
            choice=self.choice,
            rows=tuple(rows[: self.choice.count]),
            rejected=tuple(bad),
            rejected_count=len(bad) if alone else sum(1 for _ in read_rejected(examples)),
            problems=() if alone else examples.problems,
            totals=self.planned.totals(),
            decided=examples.notes,
        )

    def _tokenized(self, chosen: list[dict[str, Any]]) -> list[TokenizedRow]:
        splits = [example.pop("split") for example in chosen]
        request = {
            "params": self.planned.call("tokenize").params,
            "kind": _kind(chosen[0]),
            "model": str(tokenizer_folder(self.planned, self.looker.trainer)),
            "examples": chosen,
        }
        answer = tokenized(self.looker, self.folder, request)
        return [
            TokenizedRow.of(row, split, answer["sequence_len"])
            for row, split in zip(answer["rows"], splits, strict=True)
        ]


def _enough(chosen: list[dict[str, Any]], bad: list[RejectedRow], choice: RowChoice) -> bool:
    return bool(chosen or bad) if choice.way == "row" else len(chosen) == choice.count


def _chosen(examples: Examples, choice: RowChoice) -> tuple[list[dict[str, Any]], list[RejectedRow]]:
    """Examples to tokenize, and rejected rows to show."""
    found = candidates(examples, choice)
    if choice.way == "row":
        bad = () if found else (one for one in read_rejected(examples) if is_at(one.place, choice.place))
        return found, list(islice(bad, 1))
    return found, list(islice(read_rejected(examples), REJECTED_SHOWN))


def _kind(example: dict[str, Any]) -> str:
    """Of an example as `format` writes it."""
    return next(
        kind for kind, key in (("chat", "messages"), ("segments", "segments"), ("text", "text")) if key in example
    )


def _nothing(examples: Examples, choice: RowChoice) -> list[Problem]:
    if choice.way == "row":
        return [
            Problem(
                "no-rows",
                f"no row is at {choice.place}",
                "--row",
                hint="give the file as the dataset names it, and its line",
            )
        ]
    if examples.problems:
        return list(examples.problems)
    report = read_json(examples.folder / "report.json") or {}
    what = "no row is held out" if choice.split == "held_out" else "no row is trained on"
    return [
        Problem(
            "no-rows",
            what,
            hint=f"`format` counts {report.get('train', 0)} for training, {report.get('held_out', 0)} held out",
        )
    ]
