"""The chat templates that the importer of LLaMA-Factory chooses write the text of LLaMA-Factory's own templates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ftrun_plugins.importing.llama_factory.templates import TEMPLATES
from helpers.workplace import trainer_python

pytestmark = pytest.mark.e2e

BOS, EOS = "<s>", "</s>"


@dataclass(frozen=True)
class Form:
    """Form of a template of LLaMA-Factory: texts around a system prompt, a question and an answer."""

    system: str
    user: str
    assistant: str
    prefix: str = ""
    default_system: str = ""
    system_in_user: bool = False

    def write(self, system: str, turns: list[tuple[str, str]]) -> str:
        system = system or self.default_system
        text = self.prefix
        for index, (question, answer) in enumerate(turns):
            before = self.system.format(system) if system and not index else ""
            text += self.user.format(before + question) if self.system_in_user else before + self.user.format(question)
            text += self.assistant.format(answer)
        return text


CHATML = Form(
    "<|im_start|>system\n{}<|im_end|>\n",
    "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n",
    "{}<|im_end|>\n",
)
LLAMA3 = Form(
    "<|start_header_id|>system<|end_header_id|>\n\n{}<|eot_id|>",
    "<|start_header_id|>user<|end_header_id|>\n\n{}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    "{}<|eot_id|>",
    BOS,
)
LLAMA4 = Form(
    "<|header_start|>system<|header_end|>\n\n{}<|eot|>",
    "<|header_start|>user<|header_end|>\n\n{}<|eot|><|header_start|>assistant<|header_end|>\n\n",
    "{}<|eot|>",
)
GEMMA = Form(
    "{}\n\n",
    "<start_of_turn>user\n{}<end_of_turn>\n<start_of_turn>model\n",
    "{}<end_of_turn>\n",
    BOS,
    system_in_user=True,
)
PHI = Form("<|system|>\n{}<|end|>\n", "<|user|>\n{}<|end|>\n<|assistant|>\n", "{}<|end|>\n")
QWEN = Form(
    CHATML.system,
    CHATML.user,
    CHATML.assistant,
    default_system="You are Qwen, created by Alibaba Cloud. You are a helpful assistant.",
)
FORMS = {
    "chatml": CHATML, "qwen3_nothink": CHATML, "qwen3_5_nothink": CHATML, "yi": CHATML, "smollm": CHATML,
    "qwen": QWEN, "llama3": LLAMA3, "llama4": Form(LLAMA4.system, LLAMA4.user, LLAMA4.assistant, BOS),
    "gemma": GEMMA, "gemma3": GEMMA, "phi": PHI,
}  # fmt: skip


@cache
def compiled(name: str) -> Template:
    """Return the trainer's template of this name."""
    (site,) = Path(trainer_python()).parents[1].glob("lib/python*/site-packages")
    file = site / "axolotl" / "utils" / "chat_templates" / "templates" / f"{name}.jinja"
    text = re.sub(r"{%-? *(end)?generation *-?%}", "", file.read_text(encoding="utf-8"))
    return ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True).from_string(text)


def rendered(name: str, system: str, turns: list[tuple[str, str]], eos: str) -> str:
    """Return the text that the trainer writes."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    for question, answer in turns:
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return compiled(name).render(messages=messages, bos_token=BOS, eos_token=eos)


@pytest.mark.parametrize("name", [name for name, template in TEMPLATES.items() if template.is_same])
@pytest.mark.parametrize("system", ["", "Be brief."])
@pytest.mark.parametrize("turns", [[("Who?", "Ada.")], [("Who?", "Ada."), ("When?", "1843.")]])
def test_conversations_have_the_same_text(name: str, system: str, turns: list[tuple[str, str]]) -> None:
    template = TEMPLATES[name]
    assert template.name is not None
    text = rendered(template.name, system, turns, template.end_of_turn or EOS)
    assert text.rstrip("\n") == FORMS[name].write(system, turns).rstrip("\n")
