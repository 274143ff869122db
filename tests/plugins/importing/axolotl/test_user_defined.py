"""Prompt types that a configuration of axolotl defines itself become templates that write the same prompts."""

from __future__ import annotations

from typing import Any

import pytest

from ftrun_plugins.data.formatters.template_syntax import fill
from ftrun_plugins.importing.axolotl.user_defined import make_template

COLUMNS = {"field_instruction": "question", "field_input": "context", "field_output": "answer"}
ROWS = [{"question": "How many?", "context": "CREATE TABLE t"}, {"question": "How many?", "context": ""}]


@pytest.mark.parametrize(
    "formats",
    [
        {"format": "[INST] Use the schema.\n{input}\n{instruction} [/INST]"},
        {"format": "{instruction}\n{input}\nA:", "no_input_format": "{instruction}\nA:"},
        {"format": "{input}. {instruction}", "no_input_format": "Q: {instruction}"},
        {"format": "{instruction}", "no_input_format": "{instruction}"},
        {},
    ],
)
@pytest.mark.parametrize("row", ROWS)
def test_the_template_writes_what_the_formats_write(formats: dict[str, str], row: dict[str, Any]) -> None:
    defaults = {"format": "{instruction} {input} ", "no_input_format": "{instruction} "}
    form = {**defaults, **formats}["format" if row["context"] else "no_input_format"]
    template = make_template({**COLUMNS, **formats})
    assert fill(template["prompt"], row) == form.format(instruction=row["question"], input=row["context"])
    assert template["answer"] == "{answer}"
