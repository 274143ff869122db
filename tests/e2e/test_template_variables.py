"""Variables of the chat template: what is trained with them is evaluated, compared and served with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from helpers.workplace import PROJECT, SCRIPTS, Workplace, in_environment, read_json, tiny_recipe

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

NO_THOUGHTS = "<think></think>"  # what the template writes before an answer if `enable_thinking` is false
TEMPLATE = """{%- set before = "<think></think>" if enable_thinking is defined and not enable_thinking else "" -%}
{%- for message in messages -%}
<|im_start|>{{ message.role }}
{{ before if message.role == "assistant" else "" }}{{ message.content }}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt -%}<|im_start|>assistant
{{ before }}{%- endif -%}"""
STAGES = ["fetch", "format", "tokenize", "train", "merge", "parity", "generate", "score", "evaluate"]


@pytest.fixture(scope="module")
def trained(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """A run whose template reads `enable_thinking`, and not `enable_thinkin`."""
    with closing(Workplace(tmp_path_factory.mktemp("template"), in_process=True)) as workplace:
        train = {"max_steps": 2, "chat_template": "jinja", "chat_template_jinja": TEMPLATE}
        tiny_recipe(workplace.folder, tiny, train=train, stages=STAGES)
        workplace.run(
            "recipe=tiny.yaml", "model.template={enable_thinking: false, enable_thinkin: true}", "generate.rows=2"
        )
        yield workplace


def decoded(workplace: Workplace, ids: list[int]) -> str:
    script = SCRIPTS / "decode_tokens.py"
    folder = str(workplace.artifact("merge"))
    return str(json.loads(in_environment("trainer", script, [folder, json.dumps(ids)]).splitlines()[-1]))


def compare(workplace: Workplace, work: Path, template: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the problems of the comparison with the engine, if prompts are rendered with these variables."""
    labels = {"data": "format", "tokenized": "tokenize", "model": "fetch:model", "train": "train", "merged": "merge"}
    inputs = {role: str(workplace.artifact(label)) for role, label in labels.items()}
    asked = {"what": "prompts", "engine": True, "inputs": inputs, "template": template}
    printed = in_environment("server_cpu", SCRIPTS / "compare_outputs.py", [str(PROJECT), str(work), json.dumps(asked)])
    problems: list[dict[str, Any]] = json.loads(printed.splitlines()[-1])["problems"]
    return problems


def test_prompts_equal_the_trained_ones_also_in_the_engine(trained: Workplace) -> None:
    parity = read_json(trained.runs()[-1] / "run.json")["results"]["parity:prompts"]["metrics"]
    assert (parity["rows"], parity["engine"]) == (50, "vllm")
    answers = (trained.artifact("generate:tuned") / "predictions.jsonl").read_text().splitlines()
    assert decoded(trained, json.loads(answers[0])["prompt_ids"]).endswith(f"<|im_start|>assistant\n{NO_THOUGHTS}")


def test_a_prompt_without_the_variables_differs(trained: Workplace, tmp_path: Path) -> None:
    problems = compare(trained, tmp_path, {})
    assert problems
    assert all("tokenizes the prompt differently" in one["what"] or "more rows" in one["what"] for one in problems)


def test_a_variable_that_the_template_does_not_read_is_reported(trained: Workplace) -> None:
    warnings = [event["text"] for event in trained.events() if event["kind"] == "warning"]
    (warning,) = [text for text in warnings if "model.template" in text]
    assert "enable_thinkin`" in warning
    assert "enable_thinking" in warning
