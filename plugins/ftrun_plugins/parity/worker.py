"""Compare the served model with the trained one, and fail if they differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ftrun.api.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.parity.params import Params


def check_parity(params: Params, context: StageContext) -> None:
    """Write what was compared. Raises `InvalidInput` with each difference."""
    found, problems = compare(params, context)
    if problems:
        raise InvalidInput(problems)
    (context.output / "parity.json").write_text(json.dumps(found, indent=1))
    context.report.metric(**found)


def compare(params: Params, context: StageContext) -> tuple[dict[str, Any], list[Problem]]:
    """Return what was compared, and the differences."""
    if params.what == "weights":
        from ftrun_plugins.parity.weights import compare_weights

        return compare_weights(params, context)
    from ftrun_plugins.parity.prompts import compare_prompts

    return compare_prompts(params, context)
