"""A chat template that begins answers differently than it renders them is refused before anything is trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.workplace import Workplace, tiny_recipe

pytestmark = pytest.mark.e2e

# As in several templates of models that think: finished answers begin with a block of thoughts, an empty one if there
# are none, and a prompt ends with the begin of such a block, or with an empty block if `enable_thinking` is false.
TEMPLATE = """{%- for message in messages -%}
<|im_start|>{{ message.role }}
{% if message.role == "assistant" -%}
<think>{{ message.reasoning_content or "" }}</think>
{%- endif %}{{ message.content }}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt -%}<|im_start|>assistant
<think>
{%- if enable_thinking is defined and not enable_thinking %}</think>{% else %}.{% endif -%}
{%- endif -%}"""
STAGES = ["fetch", "format", "tokenize", "train", "merge", "parity"]


def row(number: int, thoughts: bool) -> dict[str, Any]:
    answer = {"role": "assistant", "content": f"It is Ada at door {number}."}
    return {
        "messages": [
            {"role": "user", "content": f"Who is at door {number}?"},
            {**answer, "reasoning_content": "She knocks twice."} if thoughts else answer,
        ]
    }


def write_recipe(workplace: Workplace, tiny: Path, thoughts: set[int]) -> None:
    """Write a recipe of chats; those with these numbers have thoughts."""
    train = {"max_steps": 2, "warmup_steps": 0, "chat_template": "jinja", "chat_template_jinja": TEMPLATE}
    dataset = {"source": {"name": "jsonl", "path": "train.jsonl"}, "formatter": {"name": "chat"}, "held_out": None}
    tiny_recipe(workplace.folder, tiny, train=train, dataset=dataset, stages=STAGES, evals={})
    lines = (json.dumps(row(number, number in thoughts)) + "\n" for number in range(30))
    (workplace.folder / "train.jsonl").write_text("".join(lines))


NO_THOUGHTS = "model.template.enable_thinking=false"
RUN = ("recipe=tiny.yaml", "evals=[]", "dataset.split.held_out=0", "dataset.ignore_columns=[]")


def test_a_prompt_that_differs_is_refused_before_the_training(workplace: Workplace, tiny: Path) -> None:
    write_recipe(workplace, tiny, thoughts={28})
    workplace.run(*RUN, NO_THOUGHTS, expected=2)
    (failed,) = [event for event in workplace.events() if event["kind"] == "call_failed"]
    (problem,) = failed["problems"]
    assert (problem["code"], problem["at"]) == ("parity", "train.jsonl:29")
    assert "dataset.on_prompt_mismatch=report" in problem["hint"]
    assert "train" not in workplace.calls("call_started")


@pytest.mark.slow
def test_the_proposed_variable_makes_the_prompts_equal(workplace: Workplace, tiny: Path) -> None:
    write_recipe(workplace, tiny, thoughts=set())
    ended = workplace.run(*RUN, expected=2)
    assert f"set {NO_THOUGHTS}" in ended.err
    workplace.run(*RUN, NO_THOUGHTS)


@pytest.mark.slow
def test_a_difference_can_be_only_reported(workplace: Workplace, tiny: Path) -> None:
    write_recipe(workplace, tiny, thoughts={28})
    workplace.run(*RUN, "dataset.on_prompt_mismatch=report")
    warnings = [(event["call"], event["text"]) for event in workplace.events() if event["kind"] == "warning"]
    for call in ("tokenize", "parity:prompts"):
        assert any(by == call and "differently than in training" in text for by, text in warnings), call
