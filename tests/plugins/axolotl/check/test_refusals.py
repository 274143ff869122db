from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError, model_validator

from ftrun_plugins.axolotl.check import refusals
from ftrun_plugins.axolotl.check.refusals import describe_refusal

ORIGINS = {"lora_r": "optimizations.lora.lora_r", "qat": "train.qat", "sample_packing": "train.sample_packing"}


class Config(BaseModel):
    lora_r: int = 8
    rope: int | list[int] = 1

    @model_validator(mode="before")
    @classmethod
    def check(cls, data: Any) -> Any:
        if data.get("qat"):
            raise ValueError("QAT needs\n `sample_packing`; leave it out.")
        return data


@pytest.fixture(autouse=True)
def trainer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "version", lambda name: "1.2.3")


def refusal(**values: Any) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(values)
    return caught.value


def test_each_error_of_a_key_is_at_its_place_in_the_recipe() -> None:
    problems = list(describe_refusal(refusal(lora_r="x", rope="y"), ORIGINS))
    assert [(problem.code, problem.at) for problem in problems] == [
        ("refused-by-trainer", "optimizations.lora.lora_r"),
        ("refused-by-trainer", "rope"),
        ("refused-by-trainer", "rope"),
    ]


def test_a_rule_across_keys_is_at_the_keys_that_its_message_names() -> None:
    (problem,) = describe_refusal(refusal(qat=True), ORIGINS)
    assert problem.at == "train.qat and train.sample_packing"
    assert problem.what.endswith(": QAT needs `sample_packing`; leave it out")


def test_an_error_that_is_not_of_pydantic_is_a_problem_too() -> None:
    (problem,) = describe_refusal(ImportError("no module named x"), ORIGINS, " on A100")
    assert problem.what == "axolotl refuses the configuration on A100: no module named x"
    assert problem.at is None


def test_a_long_message_is_shortened() -> None:
    (problem,) = describe_refusal(ValueError("x" * 5000), ORIGINS)
    assert len(problem.what) < 800
