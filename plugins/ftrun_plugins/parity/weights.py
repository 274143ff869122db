"""Compares the merged weights with the base model under the adapter: by what both predict of trained rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.api.artifacts import SPLITS, TokenizedRows
from ftrun.api.errors import Problem
from ftrun_plugins.evaluation.model_loading import load_model
from ftrun_plugins.parity.window import Window, windows

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.parity.params import Params

ROWS = 8
MOST_TOKENS = 512  # of a row, from its end
# Mean difference of log-probabilities, in nats, of trained tokens. Merging rounds each weight to the precision that
# it is saved in, which moves them by about a hundredth; a merge that went wrong moves them by tenths and more.
TOLERANCE = 0.05


def compare_weights(params: Params, context: StageContext) -> tuple[dict[str, Any], list[Problem]]:
    """Return the mean and the greatest difference, and a problem if the mean is over the tolerance.

    Rows without a trained token give nothing to compare. If all are such, that is the problem.
    """
    chosen = _windows(TokenizedRows(context.inputs["tokenized"]))
    if not chosen:
        what = "the merged weights cannot be compared: no tokenized row has a trained token behind its first"
        return {"rows": 0, "tokens": 0}, [Problem("parity", what, hint="look at the rows with `ftrun preview`")]
    unmerged = {"model": context.inputs["model"], "adapter": context.inputs["adapter"]}
    one = _log_probabilities(unmerged, chosen, params, context)
    other = _log_probabilities({"model": context.inputs["merged"]}, chosen, params, context)
    apart = [abs(before - after) for before, after in zip(one, other, strict=True)]
    mean, most = sum(apart) / len(apart), max(apart)
    found = {"rows": len(chosen), "tokens": len(apart), "mean_apart": round(mean, 6), "most_apart": round(most, 6)}
    if mean <= TOLERANCE:
        return found, []
    what = f"the merged model is not the tuned one: over {len(apart)} tokens they are {mean:.3f} nats apart on average"
    return found, [
        Problem("parity", what, expected=f"at most {TOLERANCE}", hint="delete the artifact of `merge`, and resume")
    ]


def _windows(tokenized: TokenizedRows) -> list[Window]:
    """Return windows of the sample that `tokenize` drew, which has no cut rows; if all are cut, of prepared rows."""
    return windows(tokenized.sample(), ROWS, MOST_TOKENS) or windows(_prepared(tokenized), ROWS, MOST_TOKENS)


def _prepared(tokenized: TokenizedRows) -> Iterator[dict[str, Any]]:
    """Yield the rows as the trainer reads them."""
    from datasets import load_from_disk

    for folder in map(tokenized.dataset, SPLITS):
        for row in load_from_disk(str(folder)) if folder.is_dir() else ():
            yield {"ids": row["input_ids"], "labels": row["labels"]}


def _log_probabilities(
    inputs: Mapping[str, Path], chosen: Sequence[Window], params: Params, context: StageContext
) -> list[float]:
    """Return the log-probabilities of the trained tokens, row after row, computed in 32 bits."""
    import torch

    model = load_model(inputs, "cpu", params.trust_remote_code)
    found: list[float] = []
    for done, row in enumerate(chosen):
        context.check_stop()
        context.report.progress(done, len(chosen), "rows")
        places = torch.tensor(row.places)
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([row.ids])).logits[0, places - 1]
            found += logits.float().log_softmax(-1)[torch.arange(len(places)), torch.tensor(row.compared)].tolist()
    return found
