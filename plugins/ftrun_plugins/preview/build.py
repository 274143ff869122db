"""Builder of a preview, which formats and tokenizes only as many rows as necessary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ftrun.api.artifacts import FormattedRows
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import default_store
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import load
from ftrun.utils.atomic_io import read_json
from ftrun.workflow.consent import require_consent
from ftrun_plugins.preview.formatted_rows import Examples, all_examples, first_examples
from ftrun_plugins.preview.plan import PreviewPlan, make_local_backend, plan_first_calls, prepare_environment
from ftrun_plugins.preview.result import PreviewResult
from ftrun_plugins.preview.row_selection import RejectedRow, RowChoice, candidates, is_at, read_rejected
from ftrun_plugins.preview.tokenized_row import TokenizedRow
from ftrun_plugins.preview.tokenizer import tokenizer_folder
from ftrun_plugins.preview.tokenizer_client import TokenizerClient, TrainerEnvironment

REJECTED_SHOWN = 3


def build_preview(overrides: Sequence[str], choice: RowChoice, folder: Path, trust: bool = False) -> PreviewResult:
    """Return the chosen rows of a recipe.

    Args:
        overrides: Overrides that define the recipe.
        choice: The rows to show.
        folder: An empty folder for temporary files.
        trust: Consent to the code and the hosts that the recipe names.

    Raises:
        FtrunError: If the recipe or the data is wrong, or its trainer has no preview.
    """
    loaded, store = load(overrides, plugins()), default_store()
    require_consent(loaded, plugins(), trust)
    recipe = loaded.recipe
    trainer = plugins().trainer(recipe)
    if trainer.preview_module is None:
        raise InvalidInput(Problem("unsupported-key", f"the trainer `{trainer.name}` has no preview", "trainer"))
    backend = make_local_backend(recipe, plugins(), store)
    prepare_environment(backend, trainer.environment)
    environment = TrainerEnvironment.of(trainer.environment, recipe, backend)
    # the process imports the trainer's packages while the rows are formatted
    with TokenizerClient(environment, trainer.preview_module, folder) as client:
        return PreviewBuilder(plan_first_calls(recipe, plugins(), store, backend), choice, client).build()


@dataclass(frozen=True)
class PreviewBuilder:
    """Builder of the preview of one recipe."""

    plan: PreviewPlan
    choice: RowChoice
    client: TokenizerClient

    def build(self) -> PreviewResult:
        """Return the preview; read all rows only if the first ones are not enough."""
        if not self.choice.needs_all:
            with first_examples(self.plan) as examples:
                chosen, bad = _choose(examples, self.choice)
                if examples.complete or _is_enough(chosen, bad, self.choice):
                    return self._make_result(examples, chosen, bad)
        with all_examples(self.plan) as examples:
            return self._make_result(examples, *_choose(examples, self.choice))

    def _make_result(self, examples: Examples, chosen: list[dict[str, Any]], bad: list[RejectedRow]) -> PreviewResult:
        if not chosen and not bad:
            raise InvalidInput(_explain_no_rows(examples, self.choice))
        rows = self._tokenize(chosen) if chosen else []
        if self.choice.way in ("longest", "shortest"):
            rows.sort(key=lambda row: row.tokens, reverse=self.choice.way == "longest")
        single = self.choice.way == "row"
        return PreviewResult(
            recipe=self.plan.recipe.name,
            choice=self.choice,
            rows=tuple(rows[: self.choice.count]),
            rejected=tuple(bad),
            rejected_count=len(bad) if single else sum(1 for _ in read_rejected(examples)),
            problems=() if single else examples.problems,
            totals=self.plan.read_totals(),
            format_notes=examples.notes,
        )

    def _tokenize(self, chosen: list[dict[str, Any]]) -> list[TokenizedRow]:
        splits = [example.pop("split") for example in chosen]
        request = {
            "params": self.plan.call("tokenize").params,
            "kind": _kind(chosen[0]),
            "model": str(tokenizer_folder(self.plan, self.client.trainer)),
            "examples": chosen,
        }
        answer = self.client.ask(request)
        return [
            TokenizedRow.from_answer(row, split, answer["sequence_len"])
            for row, split in zip(answer["rows"], splits, strict=True)
        ]


def _is_enough(chosen: list[dict[str, Any]], bad: list[RejectedRow], choice: RowChoice) -> bool:
    return bool(chosen or bad) if choice.way == "row" else len(chosen) == choice.count


def _choose(examples: Examples, choice: RowChoice) -> tuple[list[dict[str, Any]], list[RejectedRow]]:
    """Return the examples to tokenize and the rejected rows to show."""
    selected = candidates(examples, choice)
    if choice.way == "row":
        bad = () if selected else (row for row in read_rejected(examples) if is_at(row.place, choice.place))
        return selected, list(islice(bad, 1))
    return selected, list(islice(read_rejected(examples), REJECTED_SHOWN))


def _kind(example: dict[str, Any]) -> str:
    """Return the kind of an example from `format`."""
    return next(
        kind for kind, key in (("chat", "messages"), ("segments", "segments"), ("text", "text")) if key in example
    )


def _explain_no_rows(examples: Examples, choice: RowChoice) -> list[Problem]:
    if choice.way == "row":
        return [
            Problem(
                "no-rows",
                f"there is no row at `{choice.place}`",
                "--row",
                hint="use the name of the file in the dataset, and a line number",
            )
        ]
    if examples.problems:
        return list(examples.problems)
    report = read_json(examples.folder / FormattedRows.REPORT) or {}
    what = f"there are no rows in the split `{choice.split}`"
    return [
        Problem(
            "no-rows",
            what,
            hint=f"`format` found {report.get('train', 0)} rows for training and {report.get('held_out', 0)} held out",
        )
    ]
