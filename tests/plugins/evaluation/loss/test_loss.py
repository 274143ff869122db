from __future__ import annotations

from pathlib import Path

import pytest

from ftrun.api.errors import InvalidInput
from ftrun_plugins.evaluation.loss.stage import Loss
from helpers.score_stage import call, context, write


def test_no_rows_are_no_loss_of_zero(tmp_path: Path) -> None:
    write(tmp_path / "data" / "held_out.rows.jsonl")
    params = {"rows": None, "accelerator": "cpu", "trust_remote_code": False}
    with pytest.raises(InvalidInput) as refused:
        Loss().run(call(Loss, params), context(tmp_path / "loss", {"data": tmp_path / "data"}))
    assert refused.value.problems[0].code == "no-rows"
