"""Checks of a split after its rows are tokenized: bad rows, template losses, rows that are too long, too few tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftrun.api.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from ftrun.api.artifacts import Split
    from ftrun.api.context import Reporter
    from ftrun_plugins.axolotl.tokenize.data_report import DataReport
    from ftrun_plugins.axolotl.tokenize.params import Params

MAX_REPORTED_ROWS = 10
LOSS_HINT = "use another train.chat_template, change the rows, or set dataset.on_template_loss=report"


def check_report(name: Split, report: DataReport, params: Params, cuts: bool, reporter: Reporter) -> None:
    """Report what happens to the rows of a split, or refuse them.

    Args:
        name: The split.
        report: The statistics of its rows.
        params: The limits of the recipe.
        cuts: True if rows that are too long are cut, false if they are dropped.
        reporter: Gets notes and warnings.

    Raises:
        InvalidInput: If rows have problems, too many are cut or dropped, or held-out rows fill no pack.
    """
    if report.problems:
        problems = [Problem("bad-row", reason, at=place) for place, reason in report.problems[:MAX_REPORTED_ROWS]]
        more = report.problem_count - len(problems)
        if more > 0:
            problems.append(Problem("bad-row", f"{more} more rows of {name} have problems"))
        raise InvalidInput(problems)
    _check_losses(name, report, params, reporter)
    _check_lengths(name, report, params, cuts, reporter)
    if name == params.packed_split and report.tokens < report.sequence_len:
        raise InvalidInput(
            Problem(
                "too-few-rows",
                f"the rows of {name} have {report.tokens} tokens, too few for a pack of {report.sequence_len}",
                at="train.eval_sample_packing",
                hint="raise their share in dataset.split, or leave out eval_sample_packing",
            )
        )


def _check_losses(name: Split, report: DataReport, params: Params, reporter: Reporter) -> None:
    """Report content that the chat template leaves out, or raise InvalidInput if the recipe says so."""
    problems = []
    for kind, (count, place) in sorted(report.losses.items()):
        what = f"the chat template leaves out {kind} in {count:,} of {report.row_count:,} {name} rows"
        problems.append(Problem("template-loss", what, at=place, hint=LOSS_HINT))
    if problems and params.on_template_loss == "stop":
        raise InvalidInput(problems)
    for problem in problems:
        reporter.note(f"{problem.what}, first at {problem.at}")


def _check_lengths(name: Split, report: DataReport, params: Params, cuts: bool, reporter: Reporter) -> None:
    """Report rows that are longer than `sequence_len`, or raise InvalidInput if they are too many."""
    affected = report.cut + report.dropped
    what = f"{affected} of {report.row_count} {name} rows are longer than sequence_len {report.sequence_len}"
    effect = "cut" if cuts else "dropped"
    if affected > params.max_cut * report.row_count:
        place, length = report.longest
        raise InvalidInput(
            Problem(
                "rows-too-long",
                f"{what} and would be {effect}",
                at=f"{place} ({length} tokens, the longest)",
                expected=f"at most {params.max_cut:.1%}",
                hint="raise train.sequence_len or dataset.max_cut, or shorten the rows",
            )
        )
    if affected:
        reporter.warning(f"{what} and are {effect}")
