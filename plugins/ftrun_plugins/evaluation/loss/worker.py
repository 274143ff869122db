"""Measurement of the loss of a model on held-out rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ftrun.api.artifacts import FormattedRows, Losses, TokenizedRow, TokenizedRows
from ftrun.api.errors import InvalidInput
from ftrun_plugins.evaluation.candidates import NO_ROWS
from ftrun_plugins.evaluation.finite import require_finite
from ftrun_plugins.evaluation.row_sample import choose_rows

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.evaluation.loss.params import Params

TOKENS_PER_BATCH = 4096  # including padding; limits the memory of the logits


def measure_losses(params: Params, context: StageContext) -> None:
    """Write the mean loss of each held-out row over its trained tokens.

    Raises:
        InvalidInput: If there are no held-out rows.
        FtrunError: If a loss is not finite.
    """
    data = TokenizedRows(context.inputs["data"])
    places = list(data.rows("held_out"))
    if not places:
        raise InvalidInput(NO_ROWS)
    from datasets import load_from_disk

    from ftrun_plugins.evaluation.model_loading import load_model

    dataset = load_from_disk(str(data.dataset("held_out")))
    rows = _choose(places, params, context)
    model = load_model(context.inputs, params.accelerator, params.trust_remote_code)
    _extend_embeddings(model, max(max(dataset[row]["input_ids"]) for row in rows))
    losses: dict[int, tuple[float, int]] = {}
    for batch in _make_batches(sorted(rows, key=lambda row: len(dataset[row]["input_ids"])), dataset):
        context.check_stop()
        losses.update(zip(batch, _compute_losses(model, [dataset[row] for row in batch]), strict=True))
        context.report.progress(len(losses), len(rows), "rows")
    with (context.output / Losses.ROWS).open("w") as file:
        for row in rows:
            file.write(json.dumps(_describe(places[row], *losses[row]), allow_nan=False) + "\n")
    trained = sum(tokens for _, tokens in losses.values())
    mean = sum(loss * tokens for loss, tokens in losses.values()) / trained if trained else 0.0
    context.report.metric(rows=len(rows), loss_per_token=round(mean, 6))


def _describe(row: TokenizedRow, loss: float, tokens: int) -> dict[str, Any]:
    """Return the loss of a row, or None if the row has no trained token.

    Raises:
        FtrunError: If the loss is not finite.
    """
    found = {"index": row["index"], "place": row["place"], "tokens": tokens}
    if not tokens:
        return {**found, "loss": None, "reason": "no token of the row is trained"}
    return {**found, "loss": require_finite(loss, "the loss", row["place"])}


def _choose(places: Sequence[TokenizedRow], params: Params, context: StageContext) -> list[int]:
    """Return the positions of the rows to measure: those that the models also answer, as far as they are tokenized."""
    rows = list(range(len(places)))
    if "examples" not in context.inputs:
        return rows[: params.rows]
    chosen = choose_rows(FormattedRows(context.inputs["examples"]), params.rows, params.seed or 0)
    sampled = [row for row in rows if chosen is None or places[row]["index"] in chosen]
    if not sampled:
        raise InvalidInput(NO_ROWS)
    return sampled


def _extend_embeddings(model: Any, highest: int) -> None:
    """Add embeddings for tokens that training adds and a base model lacks, up to the token id `highest`.

    New embeddings get the mean of the others, as in the trainer.
    """
    import torch

    if highest >= model.get_input_embeddings().weight.shape[0]:
        torch.manual_seed(0)
        model.resize_token_embeddings(highest + 1)


def _make_batches(rows: Sequence[int], dataset: Any) -> Iterator[list[int]]:
    """Yield batches of as many rows as fit. `rows` are sorted by length."""
    batch: list[int] = []
    for row in rows:
        if batch and len(dataset[row]["input_ids"]) * (len(batch) + 1) > TOKENS_PER_BATCH:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _compute_losses(model: Any, rows: list[dict[str, list[int]]]) -> list[tuple[float, int]]:
    """Return for each row its mean loss in nats per trained token, and the number of trained tokens."""
    import torch

    longest = max(len(row["input_ids"]) for row in rows)

    def pad(name: str, filler: int) -> Any:
        return torch.tensor([row[name] + [filler] * (longest - len(row[name])) for row in rows], device=model.device)

    ids, labels, mask = pad("input_ids", 0), pad("labels", -100), pad("attention_mask", 0)
    with torch.inference_mode():
        logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1].float()
        token_losses = torch.nn.functional.cross_entropy(
            logits.transpose(1, 2), labels[:, 1:], ignore_index=-100, reduction="none"
        )
    counts = (labels[:, 1:] != -100).sum(dim=1)
    means = token_losses.sum(dim=1) / counts.clamp(min=1)
    return [(round(float(mean), 6), int(count)) for mean, count in zip(means, counts, strict=True)]
