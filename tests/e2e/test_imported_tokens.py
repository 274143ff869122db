"""An imported dataset trains the same tokens, with the same labels, as axolotl does with its own prompt types."""

from __future__ import annotations

import json
from typing import Any

import pytest

from helpers.prompt_types import CASES, as_case
from helpers.workplace import SCRIPTS, in_trainer, tiny_model

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("prompt-types")
    (folder / "cases.json").write_text(json.dumps({name: as_case(case) for name, case in CASES.items()}))
    arguments = [str(folder / "cases.json"), str(tiny_model().resolve()), str(folder)]
    printed = in_trainer(SCRIPTS / "compare_prompt_types.py", arguments, seconds=600)
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    ("name", "tokenizer"), [(name, kind) for name, case in CASES.items() for kind in case.tokenizers]
)
def test_tokens_and_labels_are_those_of_axolotl(name: str, tokenizer: str, results: dict[str, Any]) -> None:
    result = results[f"{name} {tokenizer}"]
    assert len(result["axolotl"]) == len(CASES[name].rows)
    for theirs, ours in zip(result["axolotl"], result["ftrun"], strict=True):
        assert ours["ids"] == theirs["ids"]
        assert ours["labels"][1:] == theirs["labels"][1:]  # no model is trained on the first token
        assert any(label != -100 for label in ours["labels"])
