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
    option("no such formatter", "{name: sharegtp}", "name", "there is no formatter named `sharegtp`"),
    option("a path for a name", "{name: ../../chat}", "name", "there is no formatter named `../../chat`"),
    option("a module for a name", "{name: 'os:system'}", "name", "there is no formatter named `os:system`"),
    option("a number for a name", "{name: 3}", "name", "`dataset.formatter.name` is 3"),
    option("an unknown option", "{name: chat, mesages: m}", "mesages", "unknown key `dataset.formatter.mesages`"),
    option("an option of another", "{name: alpaca, messages: m}", "messages", "unknown key `dataset.formatter.messages`"),
    option("options of auto", "{name: auto, rows: 10}", "rows", "unknown key `dataset.formatter.rows`"),
    option("a list for a column", "{name: chat, messages: [a]}", "messages", "`dataset.formatter.messages` is ['a']"),
    option("null for a column", "{name: completion, field: null}", "field", "`dataset.formatter.field` is None"),
    option("a role that is none", "{name: sharegpt, roles: {bot: robot}}", "roles.bot", "`dataset.formatter.roles.bot` is 'robot'"),
    option("roles in a list", "{name: sharegpt, roles: [bot]}", "roles", "`dataset.formatter.roles` is ['bot']"),
    option("no prompt", "{name: template, answer: '{a}'}", "prompt", "`dataset.formatter.prompt` is missing"),
    option("an open brace", "{name: template, prompt: '{q', answer: '{a}'}", "prompt", "`dataset.formatter.prompt` is '{q'"),
    option("a closing brace", "{name: template, prompt: 'q}', answer: '{a}'}", "prompt", "`dataset.formatter.prompt` is 'q}'"),
    option("a nameless column", "{name: template, prompt: '{}', answer: '{a}'}", "prompt", "`dataset.formatter.prompt` is '{}'"),
    option("an attribute", "{name: template, prompt: '{q.__class__}', answer: '{a}'}", "prompt", "`dataset.formatter.prompt` is '{q.__class__}'"),
    option("an index", "{name: template, prompt: '{q[0]}', answer: '{a}'}", "prompt", "`dataset.formatter.prompt` is '{q[0]}'"),
    option("a conversion", "{name: template, prompt: '{q!r}', answer: '{a}'}", "prompt", "`dataset.formatter.prompt` is '{q!r}'"),
    option("a width of 9 digits", "{name: template, prompt: '{q:999999999}', answer: '{a}'}", "prompt", "`dataset.formatter.prompt` is '{q:999999999}'"),
    option("an answer of the prompt's columns", "{name: template, prompt: '{a}, {b}?', answer: 'it is {b}'}", "answer", "`dataset.formatter.answer` is 'it is {b}'"),
    option("one column for question and answer", "{name: alpaca, instruction: q, output: q}", "output", "`dataset.formatter.output` is 'q'"),
    option("a default and its column again", "{name: alpaca, instruction: input, input: input}", "input", "`dataset.formatter.input` is 'input'"),
    option("the column of another's default", "{name: alpaca, instruction: output}", "instruction", "`dataset.formatter.instruction` is 'output'"),
    option("one column for messages and tools", "{name: chat, messages: m, tools: m}", "tools", "`dataset.formatter.tools` is 'm'"),
    option("one column for turns and system", "{name: sharegpt, conversations: c, system: c}", "system", "`dataset.formatter.system` is 'c'"),
    option("one key for role and text", "{name: sharegpt, content: from}", "content", "`dataset.formatter.content` is 'from'"),
    option("an answer without a column", "{name: template, prompt: '{q}', answer: yes it is}", "answer", "`dataset.formatter.answer` is 'yes it is'"),
]  # fmt: skip
