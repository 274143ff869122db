"""Evaluators whose libraries are in the environment of the server: their scores against ones worked out by hand."""

from __future__ import annotations

import json
import math
import subprocess
from typing import Any

import pytest

from helpers.workplace import PROJECT, SCRIPTS, environment_python

pytestmark = pytest.mark.e2e

ROUGE, BLEU, CHRF, SCHEMA = (
    f"ftrun_plugins.evaluation.metrics.{name}"
    for name in ("rouge:Rouge", "bleu:Bleu", "chrf:Chrf", "json_schema:JsonSchema")
)
OBJECT = {"schema": {"type": "object"}}
# Evaluator, options, prediction, reference, and what the score has to be: a number, or an error.
CASES: list[tuple[str, dict[str, Any], str, str, float | str]] = [
    # five of six words in order: precision 1, recall 5/6
    (ROUGE, {}, "the cat on the mat", "The cat sat on the mat.", 10 / 11),
    (ROUGE, {"type": "rouge1"}, "planned failing", "plans fail", 0.0),
    (ROUGE, {"type": "rouge1", "use_stemmer": True}, "planned failing", "plans fail", 1.0),
    (ROUGE, {"type": "rouge2"}, "a", "a", 0.0),  # there is no pair of words
    (ROUGE, {"tokenize": "ascii"}, "a", "日本", "the reference has no word that ROUGE reads"),
    (ROUGE, {}, "日本", "日本語", 0.8),  # each character is a word: precision 1, recall 2/3
    (ROUGE, {}, "Кот спит", "кот спит, да", 0.8),
    (ROUGE, {"tokenize": "ascii"}, "na\u00efve", "nave", 0.0),  # two words: `na` and `ve`
    (ROUGE, {"type": "rouge1"}, "nai\u0308ve", "na\u00efve", 1.0),
    (
        ROUGE,
        {"type": "rouge1"},
        "\u0939\u093f\u0928\u094d\u0926\u0940",
        "\u0939\u093f\u0928\u094d\u0926\u0940 x",
        2 / 3,
    ),
    (ROUGE, {}, "a_b", "a b", 1.0),  # as in the library
    # 5 of 6 words, 3 of 5 pairs, 2 of 4 triples, 1 of 3 runs of four
    (BLEU, {}, "the cat sat on a mat", "the cat sat on the mat", 100 * (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** (1 / 4)),
    (BLEU, {}, "cat", "the cat", 100 / math.e),  # one word, which is right, and half as long as it should be
    (BLEU, {}, "The cat", "the cat", 50.0),  # half the words; no pair, which counts as half a one
    (BLEU, {"lowercase": True}, "The cat", "the cat", 100.0),
    (BLEU, {}, "cat", " ", "the reference is empty"),
    # 2 of 3 characters, 1 of 2 pairs, no triple; precision and recall are equal
    (CHRF, {}, "abc", "abd", 100 * (2 / 3 + 1 / 2 + 0) / 3),
    (CHRF, {"word_order": 2}, "abc", "abd", 100 * (2 / 3 + 1 / 2 + 0 + 0) / 4),  # and no word
    (CHRF, {}, "", "abd", 0.0),
    (SCHEMA, OBJECT, "```json\n{}\n```", "", 1.0),
    (SCHEMA, OBJECT, "[" * 100_000, "", 0.0),
]


def test_scores_are_those_worked_out_by_hand() -> None:
    asked = json.dumps([case[:4] for case in CASES])
    command = [environment_python("server_cpu"), "-I", str(SCRIPTS / "score_answers.py"), str(PROJECT)]
    result = subprocess.run([*command, asked], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr[-3000:]
    found = json.loads(result.stdout)
    for case, score in zip(CASES, found, strict=True):
        if isinstance(case[4], str):
            assert case[4] in score, case
        else:
            assert score[0] == pytest.approx(case[4], abs=1e-5), case
