"""Prompts are rendered in time, also with a template whose loop only a prompt without an answer reaches."""

from __future__ import annotations

from typing import Any

import pytest

from ftrun.api import template_limits
from ftrun.api.errors import InvalidInput
from ftrun.api.prompts import Prompt, apply_template


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
