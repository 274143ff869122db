"""Conversations in OpenAI's shape from which nothing, or something wrong, would be learnt."""

from __future__ import annotations

from typing import Any

from helpers.catalogue.case import Bad

ROLES = "system, developer, user, assistant, tool"
USER = {"role": "user", "content": "Hi?"}
ANSWER = {"role": "assistant", "content": "Hi."}
SYSTEM = {"role": "system", "content": "Be brief."}
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "x"}


def row(name: str, values: dict[str, Any], reason: str, **options: Any) -> Bad:
    return Bad(name, [values], reason, formatter={"name": "chat", **options})


def chat(name: str, messages: Any, reason: str, **columns: Any) -> Bad:
    return row(name, {"messages": messages, **columns}, reason)


def calling(**changes: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": [{**CALL, **changes}]}


def function(**changes: Any) -> dict[str, Any]:
    return calling(function={"name": "look", "arguments": "{}", **changes})


CASES = [
    row("no messages", {"id": 1}, "missing-value messages"),
    row("a misspelt column", {"mesages": []}, "missing-value messages"),
    row("an empty row", {}, "missing-value messages"),
    row("a thousand columns", {f"c{i}": i for i in range(1000)}, "missing-value messages"),
    row("a column's name of 100,000 letters", {"x" * 100_000: 1}, "missing-value messages"),
    row("another column is asked for", {"messages": [USER, ANSWER]}, "missing-value chat", messages="chat"),
    chat("null", None, "wrong-type messages"),
    chat("a text", "[user]: hello", "invalid-json messages"),
    chat("one message alone", USER, "wrong-type messages"),
    chat("none", [], "empty-value messages"),
    chat("a list in the list", [[USER, ANSWER]], "wrong-type messages[0]"),
    chat("null among them", [USER, None], "wrong-type messages[1]"),
    chat("ShareGPT's keys", [{"from": "human", "value": "a"}], "missing-value messages[0]"),
    chat("a role that nobody has", [{"role": "bot", "content": "a"}], "unknown-role messages[0]"),
    chat("a role in capitals", [{"role": "User", "content": "a"}, ANSWER], "unknown-role messages[0]"),
    chat("a role with a space", [{"role": "user ", "content": "a"}, ANSWER], "unknown-role messages[0]"),
    chat("a role of 1 MB", [{"role": "u" * 1_000_000, "content": "a"}], "unknown-role messages[0]"),
    chat("a role that is a list", [{"role": ["user"], "content": "a"}], "wrong-type messages[0].role"),
    chat("no content", [USER, {"role": "assistant"}], "missing-value messages[1]"),
    chat("content null", [{"role": "user", "content": None}, ANSWER], "wrong-type messages[0].content"),
    chat("content an object", [{"role": "user", "content": {"a": 1}}, ANSWER], "wrong-type messages[0].content"),
    chat("an image", [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}, ANSWER], "unsupported-content messages[0].content[0]"),
    chat("a part that is a text", [{"role": "user", "content": ["a"]}, ANSWER], "unsupported-content messages[0].content[0]"),
    chat("an unknown key", [{**USER, "contnet": "a"}, ANSWER], "unknown-key messages[0]"),
    chat("a silent assistant", [USER, {"role": "assistant", "content": ""}], "empty-value messages[1]"),
    chat("an assistant of spaces", [USER, {"role": "assistant", "content": " \n\t"}], "empty-value messages[1]"),
    chat("an assistant of no-break spaces", [USER, {"role": "assistant", "content": "\u00a0\u2003"}], "empty-value messages[1]"),
    chat("a weight of zero alone", [USER, {**ANSWER, "weight": 0}], "empty-value messages"),
    chat("no assistant", [USER], "turn-order messages"),
    chat("the assistant first", [ANSWER, USER, ANSWER], "turn-order messages[0]"),
    chat("the user last", [USER, ANSWER, USER], "turn-order messages[2]"),
    chat("a late system prompt", [USER, SYSTEM, ANSWER], "turn-order messages[1]"),
    chat("two system prompts", [SYSTEM, SYSTEM, USER, ANSWER], "turn-order messages[1]"),
    chat("an answer without a call", [USER, RESULT, ANSWER], "bad-tool-call messages[1]"),
    chat("an answer to another call", [USER, calling(id="c2"), RESULT, ANSWER], "bad-tool-call messages[2]"),
    chat("a call without an answer", [USER, calling(), USER, ANSWER], "bad-tool-call messages[2]"),
    chat("a tool's answer last", [USER, calling(), RESULT], "turn-order messages[2]"),
    chat("a tool that nobody called", [USER, {"role": "tool", "content": "x"}, ANSWER], "bad-tool-call messages[1]"),
    chat("arguments that are no JSON", [USER, function(arguments="{city: Ulm}")], "invalid-json messages[1].tool_calls[0].function.arguments"),
    chat("arguments in a list", [USER, function(arguments="[1]")], "wrong-type messages[1].tool_calls[0].function.arguments"),
    chat("arguments null", [USER, function(arguments=None)], "wrong-type messages[1].tool_calls[0].function.arguments"),
    chat("a call without a name", [USER, function(name="")], "missing-value messages[1].tool_calls[0].function"),
    chat("a call of a tool that is not declared", [USER, calling(), RESULT, ANSWER], "bad-tool-call messages[1].tool_calls[0]", tools=[{"type": "function", "function": {"name": "lock"}}]),
    chat("tools without a name", [USER, ANSWER], "bad-tool-call tools[0]", tools=[{"title": "look"}]),
    chat("tools in a text", [USER, ANSWER], "invalid-json tools", tools="[]x"),
]  # fmt: skip
