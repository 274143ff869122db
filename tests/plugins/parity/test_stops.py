"""A served model has to stop at the tokens with which its trained turns end."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ftrun_plugins.parity.stops import check_end, stop_tokens

TOKENIZER = SimpleNamespace(decode=lambda ids: f"<{ids[0]}>")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, set()),
        ({"config.json": {"eos_token_id": 2}}, {2}),
        ({"config.json": {"eos_token_id": 0}}, {0}),
        ({"config.json": {}}, set()),
        ({"generation_config.json": {"eos_token_id": [2, 7]}, "config.json": {"eos_token_id": 3}}, {2, 7}),
        ({"generation_config.json": {}, "config.json": {"eos_token_id": 3}}, set()),
    ],
)
def test_stop_tokens(files: dict[str, Any], expected: set[int], tmp_path: Path) -> None:
    for name, values in files.items():
        (tmp_path / name).write_text(json.dumps(values))
    assert stop_tokens(tmp_path) == expected


def test_a_turn_that_ends_with_another_token_is_reported(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"eos_token_id": [7, 2]}')
    (problem,) = check_end([("a:1", 2), ("a:2", 9), ("a:3", 7)], tmp_path, TOKENIZER, "the merged model")
    assert problem.at == "a:2"
    assert problem.code == "parity"
    assert problem.what.startswith("the merged model ")
    assert "'<9>'" in problem.what
    assert problem.what.endswith("'<2>', '<7>'")
    assert problem.hint is not None
    assert "train.eot_tokens" in problem.hint


def test_a_model_without_stop_tokens_stops_nowhere(tmp_path: Path) -> None:
    (problem,) = check_end([("a:1", 2)], tmp_path, TOKENIZER, "it")
    assert problem.what.endswith(" none")
