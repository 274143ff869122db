"""Options that a formatter does not take: found when the recipe is read, with the key that is wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BadOption:
    """The formatter's mapping as it stands in a recipe, and what is said of which key."""

    name: str
    formatter: str
    key: str
    reason: str


def option(name: str, formatter: str, key: str, reason: str) -> BadOption:
    return BadOption(name, formatter, key, reason)


CASES = [
    option("no such formatter", "{name: sharegtp}", "name", "unknown-name sharegtp"),
    option("a path for a name", "{name: ../../chat}", "name", "unknown-name ../../chat"),
    option("a module for a name", "{name: 'os:system'}", "name", "unknown-name os:system"),
    option("a number for a name", "{name: 3}", "name", "invalid-value dataset.formatter.name"),
    option("an unknown option", "{name: chat, mesages: m}", "mesages", "unknown-key dataset.formatter.mesages"),
    option("an option of another", "{name: alpaca, messages: m}", "messages", "unknown-key dataset.formatter.messages"),
    option("options of auto", "{name: auto, rows: 10}", "rows", "unknown-key dataset.formatter.rows"),
    option("a list for a column", "{name: chat, messages: [a]}", "messages", "invalid-value dataset.formatter.messages"),
    option("null for a column", "{name: completion, field: null}", "field", "invalid-value dataset.formatter.field"),
    option("a role that is none", "{name: sharegpt, roles: {bot: robot}}", "roles.bot", "invalid-value dataset.formatter.roles.bot"),
    option("roles in a list", "{name: sharegpt, roles: [bot]}", "roles", "invalid-value dataset.formatter.roles"),
    option("no prompt", "{name: template, answer: '{a}'}", "prompt", "missing-key dataset.formatter.prompt"),
    option("an open brace", "{name: template, prompt: '{q', answer: '{a}'}", "prompt", "invalid-value dataset.formatter.prompt"),
    option("a closing brace", "{name: template, prompt: 'q}', answer: '{a}'}", "prompt", "invalid-value dataset.formatter.prompt"),
    option("a nameless column", "{name: template, prompt: '{}', answer: '{a}'}", "prompt", "invalid-value dataset.formatter.prompt"),
    option("an attribute", "{name: template, prompt: '{q.__class__}', answer: '{a}'}", "prompt", "invalid-value dataset.formatter.prompt"),
    option("an index", "{name: template, prompt: '{q[0]}', answer: '{a}'}", "prompt", "invalid-value dataset.formatter.prompt"),
    option("a conversion", "{name: template, prompt: '{q!r}', answer: '{a}'}", "prompt", "invalid-value dataset.formatter.prompt"),
    option("a width of 9 digits", "{name: template, prompt: '{q:999999999}', answer: '{a}'}", "prompt", "invalid-value dataset.formatter.prompt"),
    option("an answer of the prompt's columns", "{name: template, prompt: '{a}, {b}?', answer: 'it is {b}'}", "answer", "invalid-value dataset.formatter.answer"),
    option("one column for question and answer", "{name: alpaca, instruction: q, output: q}", "output", "invalid-value dataset.formatter.output"),
    option("a default and its column again", "{name: alpaca, instruction: input, input: input}", "input", "invalid-value dataset.formatter.input"),
    option("the column of another's default", "{name: alpaca, instruction: output}", "instruction", "invalid-value dataset.formatter.instruction"),
    option("one column for messages and tools", "{name: chat, messages: m, tools: m}", "tools", "invalid-value dataset.formatter.tools"),
    option("one column for turns and system", "{name: sharegpt, conversations: c, system: c}", "system", "invalid-value dataset.formatter.system"),
    option("one key for role and text", "{name: sharegpt, content: from}", "content", "invalid-value dataset.formatter.content"),
    option("an answer without a column", "{name: template, prompt: '{q}', answer: yes it is}", "answer", "invalid-value dataset.formatter.answer"),
]  # fmt: skip
