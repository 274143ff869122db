"""Prompts are rendered in time, also with a template whose loop only a prompt without an answer reaches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftrun.api import template_limits
from ftrun.api.artifacts import FormattedRows
from ftrun.api.errors import InvalidInput
from ftrun.api.prompts import Prompt, apply_template, prompt_texts


class Tokenizer:
    """Renders a template of Jinja, as that of transformers."""

    template = (
        "{% if add_generation_prompt %}{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
        "{% endif %}"
    )

    def apply_chat_template(self, messages: Any, **variables: Any) -> list[int]:
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        ImmutableSandboxedEnvironment().from_string(self.template).render(messages=messages, **variables)
        return [1]


def test_a_prompt_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_limits, "SECONDS", 0.5)
    prompt = Prompt(0, "rows:1", "", messages=[{"role": "user", "content": "?"}])
    with pytest.raises(InvalidInput) as caught:
        apply_template(prompt, Tokenizer(), {})
    assert [(problem.code, problem.at) for problem in caught.value.problems] == [("template-mismatch", "rows:1")]


def test_the_text_of_a_prompt_has_tools_calls_and_results(tmp_path: Path) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "porch", "arguments": '{"side": "lee"}'}}
    messages = [
        {"role": "user", "content": "Who is it?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "a glazier", "tool_call_id": "1"},
        {"role": "assistant", "content": "A glazier."},
    ]
    tools = [{"type": "function", "function": {"name": "porch", "description": "Looks."}}]
    (tmp_path / "report.json").write_text('{"kind": "chat"}')
    row = {"place": "a:1", "messages": messages, "tools": tools}
    (tmp_path / "held_out.jsonl").write_text(json.dumps(row) + "\n")
    (text,) = prompt_texts(FormattedRows(tmp_path))
    assert text.split("\n\n") == [
        'tools: [{"name": "porch", "description": "Looks."}]',
        "user: Who is it?",
        'assistant: {"tool_call": {"arguments": {"side": "lee"}, "name": "porch"}}',
        "tool: a glazier",
    ]
