"""axolotl itself refuses each combination of keys that `ftrun validate` refuses, and accepts it once it is mended."""

from __future__ import annotations

import json
from typing import Any

import pytest

from helpers.combinations import CASES, mend
from helpers.workplace import SCRIPTS, in_trainer

pytestmark = pytest.mark.e2e

BASE = {
    "base_model": "m",
    "datasets": [{"path": "d", "type": "chat_template"}],
    "test_datasets": [{"path": "d", "type": "chat_template", "split": "test"}],
    "micro_batch_size": 1,
    "gradient_accumulation_steps": 1,
    "learning_rate": 0.1,
    "num_epochs": 1,
    "sequence_len": 64,
    "adapter": "lora",
    "lora_r": 8,
    "lora_alpha": 16,
    "lora_target_linear": True,
    "bf16": False,
}


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("configurations") / "all.json"
    configurations = {name: {**BASE, **case.values} for name, case in CASES.items()}
    configurations |= {f"{name}, mended": {**BASE, **mend(case)} for name, case in CASES.items()}
    path.write_text(json.dumps(configurations))
    found: dict[str, Any] = json.loads(in_trainer(SCRIPTS / "validate_configs.py", [str(path)]).splitlines()[-1])
    return found


@pytest.mark.parametrize("name", CASES)
def test_the_trainer_refuses_it_and_accepts_what_is_mended(name: str, refusals: dict[str, Any]) -> None:
    assert refusals[name]
    mended = refusals[f"{name}, mended"]
    assert mended is None
