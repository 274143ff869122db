from __future__ import annotations

from pathlib import Path

import pytest

from ftrun.api.artifacts import TokenizedRow
from ftrun.api.errors import FtrunError, InvalidInput
from ftrun_plugins.evaluation.loss.stage import Loss
from ftrun_plugins.evaluation.loss.worker import _describe
from helpers.score_stage import call, context, write


def test_no_rows_are_no_loss_of_zero(tmp_path: Path) -> None:
    write(tmp_path / "data" / "held_out.rows.jsonl")
    params = {"rows": None, "accelerator": "cpu", "trust_remote_code": False}
    with pytest.raises(InvalidInput) as refused:
        Loss().run(call(Loss, params), context(tmp_path / "loss", {"data": tmp_path / "data"}))
    assert refused.value.problems[0].code == "no-rows"


def test_a_row_without_trained_tokens_has_no_loss_instead_of_zero() -> None:
    row: TokenizedRow = {"place": "a:1", "index": 3, "tokens": 9, "trained": 0}
    assert _describe(row, 0.0, 0)["loss"] is None
    assert _describe(row, 0.5, 2) == {"index": 3, "place": "a:1", "tokens": 2, "loss": 0.5}
    with pytest.raises(FtrunError) as refused:
        _describe(row, float("nan"), 2)
    assert (refused.value.problems[0].code, refused.value.problems[0].at) == ("not-finite", "a:1")
