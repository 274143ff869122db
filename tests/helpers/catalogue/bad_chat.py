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
    row("no messages", {"id": 1}, "there is no column `messages`: the row has `id`"),
    row("a misspelt column", {"mesages": []}, "there is no column `messages`: the row has `mesages`; did you mean `mesages`?"),
    row("an empty row", {}, "there is no column `messages`: the row has none"),
    row("a thousand columns", {f"c{i}": i for i in range(1000)}, "there is no column `messages`: the row has `c0`, `c1`, `c2`, `c3`, `c4`, `c5`, `c6`, `c7` and 992 more"),
    row("a column's name of 100,000 letters", {"x" * 100_000: 1}, f"there is no column `messages`: the row has `{'x' * 40}`"),
    row("another column is asked for", {"messages": [USER, ANSWER]}, "there is no column `chat`: the row has `messages`", messages="chat"),
    chat("null", None, "`messages` is null, not a list of messages"),
    chat("JSON in a text", '[{"role": "user"}]', "`messages` is a text, not a list of messages"),
    chat("one message alone", USER, "`messages` is an object, not a list of messages"),
    chat("none", [], "`messages` is empty"),
    chat("a list in the list", [[USER, ANSWER]], "messages[0] is a list, not an object with role and content"),
    chat("null among them", [USER, None], "messages[1] is null, not an object with role and content"),
    chat("ShareGPT's keys", [{"from": "human", "value": "a"}], "messages[0] has no `role`; it has `from`, `value`"),
    chat("a role that nobody has", [{"role": "bot", "content": "a"}], f"messages[0] has the unknown role `bot`, not one of {ROLES}"),
    chat("a role in capitals", [{"role": "User", "content": "a"}, ANSWER], f"messages[0] has the unknown role `User`, not one of {ROLES}; did you mean `user`?"),
    chat("a role with a space", [{"role": "user ", "content": "a"}, ANSWER], f"messages[0] has the unknown role `user `, not one of {ROLES}; did you mean `user`?"),
    chat("a role of 1 MB", [{"role": "u" * 1_000_000, "content": "a"}], f"messages[0] has the unknown role `{'u' * 40}`, not one of {ROLES}"),
    chat("a role that is a list", [{"role": ["user"], "content": "a"}], "messages[0].role is a list, not a text"),
    chat("no content", [USER, {"role": "assistant"}], "messages[1] has no `content`; it has `role`"),
    chat("content null", [{"role": "user", "content": None}, ANSWER], "messages[0].content is null, not a text or a list of parts"),
    chat("content a number", [{"role": "user", "content": 1}, ANSWER], "messages[0].content is a number, not a text or a list of parts"),
    chat("an image", [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}, ANSWER], "messages[0].content[0]: `image_url` parts cannot be trained on, only text"),
    chat("a part that is a text", [{"role": "user", "content": ["a"]}, ANSWER], 'messages[0].content[0] must be {"type": "text", "text": "…"} and nothing else'),
    chat("an unknown key", [{**USER, "contnet": "a"}, ANSWER], "messages[0] has the unknown key `contnet`; did you mean `content`?"),
    chat("a silent assistant", [USER, {"role": "assistant", "content": ""}], "messages[1]: the assistant says nothing"),
    chat("an assistant of spaces", [USER, {"role": "assistant", "content": " \n\t"}], "messages[1]: the assistant says nothing"),
    chat("an assistant of no-break spaces", [USER, {"role": "assistant", "content": "\u00a0\u2003"}], "messages[1]: the assistant says nothing"),
    chat("a weight of zero", [USER, {**ANSWER, "weight": 0}], "messages[1] has a weight other than 1: assistant messages are all trained on"),
    chat("no assistant", [USER], "`messages` has no assistant message: there is nothing to learn"),
    chat("the assistant first", [ANSWER, USER, ANSWER], "messages[0] is of the role assistant: a conversation begins with the user"),
    chat("the user last", [USER, ANSWER, USER], "messages[2], the last, is of the role user: there is nothing to learn after it"),
    chat("a late system prompt", [USER, SYSTEM, ANSWER], "messages[1] is a system message, which may only come first"),
    chat("two system prompts", [SYSTEM, SYSTEM, USER, ANSWER], "messages[1] is a system message, which may only come first"),
    chat("an answer without a call", [USER, RESULT, ANSWER], "messages[1] answers the tool call `c1`, which is not open"),
    chat("an answer to another call", [USER, calling(id="c2"), RESULT, ANSWER], "messages[2] answers the tool call `c1`, which is not open"),
    chat("a call without an answer", [USER, calling(), USER, ANSWER], "messages[2] comes before the answer to the tool call `c1`"),
    chat("a tool's answer last", [USER, calling(), RESULT], "messages[2], the last, is of the role tool: there is nothing to learn after it"),
    chat("a tool without an id", [USER, calling(), {"role": "tool", "content": "x"}, ANSWER], "messages[2] is a tool's answer without `tool_call_id`"),
    chat("arguments that are no JSON", [USER, function(arguments="{city: Ulm}")], "messages[1].tool_calls[0].function.arguments is not JSON: …"),
    chat("arguments in a list", [USER, function(arguments="[1]")], "messages[1].tool_calls[0].function.arguments is a list in a text, not an object"),
    chat("arguments null", [USER, function(arguments=None)], "messages[1].tool_calls[0].function.arguments is null, not JSON in a text"),
    chat("a call without a name", [USER, function(name="")], "messages[1].tool_calls[0].function has no `name`"),
    chat("a call of a tool that is not declared", [USER, calling(), RESULT, ANSWER], "messages[1].tool_calls[0] calls `look`, which the row's tools lack; did you mean `lock`?", tools=[{"type": "function", "function": {"name": "lock"}}]),
    chat("tools that are bare functions", [USER, ANSWER], 'tools[0] must be {"type": "function", "function": {…}}', tools=[{"name": "look"}]),
    chat("tools in a text", [USER, ANSWER], "`tools` is a text, not a list of tools", tools="[]x"),
]  # fmt: skip
