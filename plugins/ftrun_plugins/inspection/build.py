"""Builder of the summary, which formats the rows on this machine and uploads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ftrun.api.artifacts import FormattedRows, TokenizedRows
from ftrun.api.errors import InvalidInput
from ftrun.api.paths import default_store
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import load
from ftrun.workflow.consent import require_consent
from ftrun_plugins.inspection.data_summary import summarize, summarize_tokens
from ftrun_plugins.preview.formatted_rows import all_examples
from ftrun_plugins.preview.plan import PreviewPlan, make_local_backend, plan_first_calls


def build_summary(overrides: Sequence[str], tokens: bool, trust: bool) -> dict[str, Any]:
    """Return the summary of a recipe's dataset.

    Args:
        overrides: Overrides that define the recipe.
        tokens: Tokenize the rows if the store has no tokenized ones.
        trust: Consent to the code and the hosts that the recipe names.

    Raises:
        FtrunError: If the recipe or its rows are wrong.
    """
    loaded, store = load(overrides, plugins()), default_store()
    require_consent(loaded, plugins(), trust)
    recipe = loaded.recipe
    plan = plan_first_calls(recipe, plugins(), store, make_local_backend(recipe, plugins(), store))
    with all_examples(plan) as examples:
        if examples.problems:
            raise InvalidInput(list(examples.problems))
        summary = {"recipe": recipe.name, **summarize(FormattedRows(examples.folder))}
    return summary | _count_tokens(plan, tokens)


def _count_tokens(plan: PreviewPlan, make: bool) -> dict[str, Any]:
    call = plan.call("tokenize")
    folder = plan.make_artifact(call) if make else plan.find_artifact(call)
    if folder is None:
        return {}
    config = plugins().trainer_config(plan.recipe)
    return {"tokens": summarize_tokens(TokenizedRows(folder), plan.read_totals(), config.values)}
