"""Prompt types that a configuration of axolotl defines itself, as the formatter `template`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

PLACEHOLDER = re.compile(r"\{(\w*)\}")
DEFAULTS = {
    "system_prompt": "",
    "field_system": "system",
    "field_instruction": "instruction",
    "field_input": "input",
    "field_output": "output",
    "format": "{instruction} {input} ",
    "no_input_format": "{instruction} ",
    "system_format": "{system}",
}


class NoTemplateError(ValueError):
    """Reason why a type cannot be a template."""


def make_template(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the formatter `template` for a type with these keys.

    Raises:
        NoTemplateError: If no template writes the same prompts.
    """
    unknown = sorted(set(given) - set(DEFAULTS))
    if unknown:
        raise NoTemplateError(f"`{unknown[0]}` is not one of its keys: {', '.join(DEFAULTS)}")
    wrong = [key for key, value in given.items() if value is not None and not isinstance(value, str)]
    if wrong:
        raise NoTemplateError(f"`{wrong[0]}` is not a text")
    values = {**DEFAULTS, **{key: value for key, value in given.items() if value is not None}}
    columns = {
        "instruction": values["field_instruction"],
        "input": values["field_input"],
        "system": values["field_system"],
    }
    turn = _merge_formats(values["format"], values["no_input_format"])
    prompt = _make_system(values, given) + turn
    return {
        "name": "template",
        "prompt": PLACEHOLDER_OR_SECTION.sub(lambda match: _rename(match, columns), prompt),
        "answer": f"{{{values['field_output']}}}",
    }


PLACEHOLDER_OR_SECTION = re.compile(r"\{\{|\}\}|\{([#^/]?)(\w*)\}")


def _rename(match: re.Match[str], columns: Mapping[str, str]) -> str:
    if match[0] in ("{{", "}}"):
        return match[0]
    if match[2] not in columns:
        raise NoTemplateError(f"`{match[0]}` is not one of {{instruction}}, {{input}} and {{system}}")
    return f"{{{match[1]}{columns[match[2]]}}}"


def _make_system(values: Mapping[str, str], given: Mapping[str, Any]) -> str:
    """Return the system prompt: that of the row, or the one of the type if rows have none."""
    text, form = values["system_prompt"], values["system_format"]
    if not text:
        return f"{{#system}}{form}{{/system}}" if form else ""
    if given.get("field_system"):
        raise NoTemplateError("it has both `system_prompt` and `field_system`, and a template has no alternative")
    escaped = text.replace("{", "{{").replace("}", "}}")
    return form.replace("{system}", escaped)


def _merge_formats(with_input: str, without: str) -> str:
    """Return one template for both formats. What only the first has becomes a section that vanishes without input."""
    if with_input == without:
        return with_input
    for end in range(len(without), -1, -1):
        head, tail = without[:end], without[end:]
        inner = with_input[end : len(with_input) - len(tail)]
        fits = len(with_input) > len(without) and with_input.startswith(head) and with_input.endswith(tail)
        if fits and "{input}" in inner and _is_whole(head) and _is_whole(inner):
            return f"{head}{{#input}}{inner}{{/input}}{tail}"
    return f"{{#input}}{with_input}{{/input}}{{^input}}{without}{{/input}}"


def _is_whole(text: str) -> bool:
    """Return whether a text cuts no placeholder."""
    rest = PLACEHOLDER.sub("", text.replace("{{", "").replace("}}", ""))
    return "{" not in rest and "}" not in rest
