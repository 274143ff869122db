"""Answers depend on the sampling of the recipe alone, not on the generation config of a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.workplace import PROJECT, SCRIPTS, in_trainer, tiny_model

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

LEAKS: dict[str, Any] = {
    "repetition_penalty": 5.0,
    "no_repeat_ngram_size": 1,
    "min_new_tokens": 12,
    "suppress_tokens": [*range(3, 40_000)],
    "temperature": 0.1,
    "top_k": 1,
    "top_p": 0.1,
    "do_sample": True,
    "num_beams": 3,
    "max_length": 4,
}


def test_the_generation_config_of_a_model_changes_no_answer(tmp_path: Path) -> None:
    hot = {"temperature": 2.0}
    cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {}), (LEAKS, {}), ({}, hot), (LEAKS, hot), ({}, {"repetition_penalty": 5.0})
    ]  # fmt: skip
    asked = tmp_path / "cases.json"
    asked.write_text(json.dumps([{"config": config, "sampling": sampling} for config, sampling in cases]))
    printed = in_trainer(SCRIPTS / "sample_answers.py", [str(PROJECT), str(tiny_model()), str(asked)])
    greedy, leaky, sampled, leaky_sampled, penalized = json.loads(printed.splitlines()[-1])
    assert leaky == greedy
    assert leaky_sampled == sampled
    assert sampled != greedy
    assert penalized != greedy
