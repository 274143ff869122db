"""The trainer's own libraries raise the errors that ftrun explains."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers.workplace import SCRIPTS, in_trainer

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

EXPECTED = {
    "allocator": "out-of-memory",
    "target modules": "unknown-module",
    "cut weights": "damaged-file",
    "cut header": "damaged-file",
    "without weights": "missing-weights",
    "sizes": "weights-mismatch",
    "adapter": "weights-mismatch",
    "architecture": "unsupported-model",
    "custom code": "untrusted-code",
    "tokenizer": "missing-tokenizer",
    "token id": "vocabulary-mismatch",
    "flash attention": "missing-package",
    "bf16": "unsupported-gpu",
    "overflow": "gradient-overflow",
}


def test_errors_of_the_locked_libraries_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    printed = in_trainer(SCRIPTS / "raise_known_errors.py", [str(tmp_path)])
    found = json.loads(printed.splitlines()[-1])
    assert {name: problem and problem["code"] for name, problem in found.items()} == EXPECTED, found
