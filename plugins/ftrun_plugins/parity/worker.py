"""Comparison of the served model with the trained model, which fails if they differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ftrun.api.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.parity.params import Params


def check_parity(params: Params, context: StageContext) -> None:
    """Write a summary of the comparison.

    Raises:
        InvalidInput: If there are differences, with one problem per difference.
    """
    summary, problems = compare(params, context)
    if problems:
        raise InvalidInput(problems)
    (context.output / "parity.json").write_text(json.dumps(summary, indent=1))
    context.report.metric(**summary)


def compare(params: Params, context: StageContext) -> tuple[dict[str, Any], list[Problem]]:
    """Return a summary of the comparison, and the differences."""
    if params.what == "weights":
        from ftrun_plugins.parity.weights import compare_weights

        return compare_weights(params, context)
    if params.what == "answers":
        from ftrun_plugins.parity.answers import check_answers

        return check_answers(params, context)
    from ftrun_plugins.parity.prompts import compare_prompts

    return compare_prompts(params, context)
