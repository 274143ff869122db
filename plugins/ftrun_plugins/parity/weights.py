"""Comparison of the merged weights with the base model under the adapter, by their predictions of trained tokens."""

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

ROWS = 8  # maximum number of compared rows
MOST_TOKENS = 512  # maximum number of tokens of a row, counted from its end
# Maximum mean difference of the log-probabilities of trained tokens, in nats. A merge rounds each weight to the
# precision of the saved model, which changes them by about 0.01. A wrong merge changes them by 0.1 or more.
TOLERANCE = 0.05


def compare_weights(params: Params, context: StageContext) -> tuple[dict[str, Any], list[Problem]]:
    """Return the mean and the maximum difference, and a problem if the mean exceeds the tolerance.

    Rows without a trained token cannot be compared. If there are no other rows, this is the problem.
    """
    chosen = _select_windows(TokenizedRows(context.inputs["tokenized"]))
    if not chosen:
        what = "the merged weights cannot be compared: no tokenized row has a trained token after its first token"
        return {"rows": 0, "tokens": 0}, [Problem("parity", what, hint="check the rows with `ftrun preview`")]
    unmerged = {"model": context.inputs["model"], "adapter": context.inputs["adapter"]}
    expected = _compute_log_probabilities(unmerged, chosen, params, context)
    actual = _compute_log_probabilities({"model": context.inputs["merged"]}, chosen, params, context)
    differences = [abs(before - after) for before, after in zip(expected, actual, strict=True)]
    mean, maximum = sum(differences) / len(differences), max(differences)
    count = len(differences)
    summary = {"rows": len(chosen), "tokens": count, "mean_apart": round(mean, 6), "most_apart": round(maximum, 6)}
    if mean <= TOLERANCE:
        return summary, []
    what = f"the merged model differs from the tuned model by {mean:.3f} nats per token, averaged over {count} tokens"
    hint = "delete the artifact of `merge`, and resume the run"
    return summary, [Problem("parity", what, expected=f"at most {TOLERANCE}", hint=hint)]


def _select_windows(tokenized: TokenizedRows) -> list[Window]:
    """Return windows of the sample that `tokenize` drew, or of the tokenized rows if all of them are cut.

    The sample has no cut rows.
    """
    return windows(tokenized.sample(), ROWS, MOST_TOKENS) or windows(_read_tokenized_rows(tokenized), ROWS, MOST_TOKENS)


def _read_tokenized_rows(tokenized: TokenizedRows) -> Iterator[dict[str, Any]]:
    """Yield the rows that the trainer reads."""
    from datasets import load_from_disk

    for folder in map(tokenized.dataset, SPLITS):
        for row in load_from_disk(str(folder)) if folder.is_dir() else ():
            yield {"ids": row["input_ids"], "labels": row["labels"]}


def _compute_log_probabilities(
    inputs: Mapping[str, Path], chosen: Sequence[Window], params: Params, context: StageContext
) -> list[float]:
    """Return the log-probabilities of the trained tokens, row by row, computed in float32."""
    import torch

    model = load_model(inputs, "cpu", params.trust_remote_code)
    values: list[float] = []
    for done, row in enumerate(chosen):
        context.check_stop()
        context.report.progress(done, len(chosen), "rows")
        places = torch.tensor(row.places)
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([row.ids])).logits[0, places - 1]
            values += logits.float().log_softmax(-1)[torch.arange(len(places)), torch.tensor(row.compared)].tolist()
    return values
