"""Compares the merged weights with the base model under the adapter: by what both say of rows that were trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.errors import Problem
from ftrun_plugins.axolotl.tokenize import SAMPLE
from ftrun_plugins.evaluation.lines import lines
from ftrun_plugins.evaluation.models import load_model

if TYPE_CHECKING:
    from ftrun.execute.context import StageContext
    from ftrun_plugins.parity.stage import Params

ROWS = 8
MOST_TOKENS = 512  # of a row
# Mean difference of log-probabilities, in nats, of trained tokens. Merging rounds each weight to the precision that
# it is saved in, which moves them by about a hundredth; a merge that went wrong moves them by tenths and more.
TOLERANCE = 0.05


def compare_weights(params: Params, context: StageContext) -> tuple[dict[str, Any], list[Problem]]:
    """The mean and the greatest difference, and a problem where the mean is over the tolerance."""
    rows = list(lines(context.inputs["tokenized"] / SAMPLE))[:ROWS]
    unmerged = {"model": context.inputs["model"], "adapter": context.inputs["adapter"]}
    one = _said(unmerged, rows, params, context)
    other = _said({"model": context.inputs["merged"]}, rows, params, context)
    apart = [abs(before - after) for before, after in zip(one, other, strict=True)]
    mean, most = sum(apart) / len(apart), max(apart)
    found = {"rows": len(rows), "tokens": len(apart), "mean_apart": round(mean, 6), "most_apart": round(most, 6)}
    if mean <= TOLERANCE:
        return found, []
    what = f"the merged model is not the tuned one: over {len(apart)} tokens they are {mean:.3f} nats apart on average"
    return found, [Problem(what, expected=f"at most {TOLERANCE}", do="delete the artifact of `merge`, and resume")]


def _said(
    inputs: Mapping[str, Path], rows: Sequence[dict[str, Any]], params: Params, context: StageContext
) -> list[float]:
    """Log-probabilities of the trained tokens, row after row, computed in 32 bits."""
    import torch

    model = load_model(inputs, "cpu", params.trust_remote_code)
    found: list[float] = []
    for done, row in enumerate(rows):
        context.check_stop()
        context.report.progress(done, len(rows), "rows")
        ids = torch.tensor([row["ids"][:MOST_TOKENS]])
        labels = torch.tensor(row["labels"][:MOST_TOKENS][1:])
        with torch.inference_mode():
            said = model(input_ids=ids).logits[0, :-1].float().log_softmax(-1)
        places = (labels >= 0).nonzero()[:, 0]
        found += said[places, labels[places]].tolist()
    return found
