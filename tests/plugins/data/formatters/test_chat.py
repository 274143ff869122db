from __future__ import annotations

import copy
from typing import Any

import pytest

from ftrun.api.rows import Chat, Rejected, Row
from ftrun_plugins.data.formatters.chat import ChatFormatter
from helpers.catalogue.case import is_about

Message = dict[str, Any]

SYSTEM: Message = {"role": "system", "content": "Be brief."}
USER: Message = {"role": "user", "content": "Weather in Ulm?"}
ANSWER: Message = {"role": "assistant", "content": "Rain."}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Ulm"}'}}
CALLING: Message = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT: Message = {"role": "tool", "tool_call_id": "c1", "content": "rain"}
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]


def formatted(values: dict[str, Any], **options: str) -> Chat | Rejected:
    return ChatFormatter().format(Row(values, "data.jsonl", 7), ChatFormatter.Options(**options))


def reason(messages: Any, **columns: Any) -> str:
    outcome = formatted({"messages": messages, **columns})
    assert isinstance(outcome, Rejected), outcome
    return outcome.reason


def messages_of(messages: list[Message], **columns: Any) -> list[Message]:
    before = copy.deepcopy(messages)
    outcome = formatted({"messages": messages, **columns})
    assert isinstance(outcome, Chat), outcome
    assert messages == before, "the row itself must stay as it was"
    return [dict(message) for message in outcome.messages]


def calling(**changes: Any) -> Message:
    return {**CALLING, "tool_calls": [{**CALL, **changes}]}


def function(**changes: Any) -> Message:
    return calling(function={"name": "weather", "arguments": "{}", **changes})


@pytest.mark.parametrize(
    "messages",
    [
        [USER, ANSWER],
        [SYSTEM, USER, ANSWER],
        [{"role": "system", "content": ""}, USER, ANSWER],
        [{"role": "developer", "content": "Be brief."}, USER, ANSWER],
        [USER, ANSWER, USER, ANSWER],
        [USER, USER, ANSWER],
        [USER, ANSWER, ANSWER],
        [{"role": "user", "content": "", "name": "anna"}, ANSWER],
        [USER, {"role": "assistant", "content": 'say "role": "user"'}],
    ],
)
def test_conversations_come_back_as_they_are(messages: list[Message]) -> None:
    assert messages_of(messages) == messages


def test_parts_of_text_are_joined() -> None:
    parts = [{"type": "text", "text": "Weather "}, {"type": "text", "text": "in Ulm?"}]

    assert messages_of([{"role": "user", "content": parts}, ANSWER]) == [USER, ANSWER]


def test_keys_that_say_nothing_are_left_out() -> None:
    answer = {**ANSWER, "refusal": None, "audio": None, "annotations": [], "tool_calls": None, "weight": 1}

    assert messages_of([USER, answer]) == [USER, ANSWER]


def test_tool_calls_and_their_answers() -> None:
    found = messages_of([USER, CALLING, RESULT, ANSWER], tools=TOOLS)

    assert found == [USER, {**CALLING, "content": ""}, RESULT, ANSWER]


def test_tools_are_carried_along_and_other_columns_are_not_looked_at() -> None:
    outcome = formatted({"id": 3, "tools": TOOLS, "messages": [USER, ANSWER]})

    assert outcome == Chat([USER, ANSWER], TOOLS)


@pytest.mark.parametrize("tools", [None, []])
def test_empty_tools_are_none(tools: Any) -> None:
    assert formatted({"messages": [USER, ANSWER], "tools": tools}) == Chat([USER, ANSWER])


def test_arguments_as_an_object_become_json_text() -> None:
    found = messages_of([USER, function(arguments={"city": "Ulm"})])

    assert found[1]["tool_calls"][0]["function"]["arguments"] == '{"city":"Ulm"}'


def test_two_calls_are_answered_in_any_order() -> None:
    both = {**CALLING, "tool_calls": [CALL, {**CALL, "id": "c2"}]}

    assert len(messages_of([USER, both, {**RESULT, "tool_call_id": "c2"}, RESULT, ANSWER])) == 5


def test_other_columns_can_be_named() -> None:
    row = {"chat": [USER, ANSWER], "functions": TOOLS}

    assert formatted(row, messages="chat", tools="functions") == Chat([USER, ANSWER], TOOLS)


SHAPES = {
    "null": (None, "`messages` is null, not a list of messages"),
    "a text": ("hi", "`messages` is a text, not a list of messages"),
    "an object": ({}, "`messages` is an object, not a list of messages"),
    "empty": ([], "`messages` is empty"),
    "not an object": ([USER, "hi"], "messages[1] is a text, not an object with role and content"),
    "no role": ([{"from": "human", "value": "hi"}], "messages[0] has no `role`; it has `from`, `value`"),
    "role of a wrong type": ([{"role": ["user"], "content": "hi"}], "messages[0].role is a list, not a text"),
    "unknown role": (
        [{"role": "asistant", "content": "hi"}],
        "messages[0] has the unknown role `asistant`, not one of system, developer, user, assistant, tool; "
        "did you mean `assistant`?",
    ),
    "unknown role, none near": (
        [{"role": "gpt", "content": "hi"}],
        "messages[0] has the unknown role `gpt`, not one of system, developer, user, assistant, tool",
    ),
    "no content": ([USER, {"role": "assistant"}], "messages[1] has no `content`; it has `role`"),
    "null content": (
        [{"role": "user", "content": None}, ANSWER],
        "messages[0].content is null, not a text or a list of parts",
    ),
    "content of a wrong type": (
        [{"role": "user", "content": 3}, ANSWER],
        "messages[0].content is a number, not a text or a list of parts",
    ),
    "an image": (
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}, ANSWER],
        "messages[0].content[0]: `image_url` parts cannot be trained on, only text",
    ),
    "a part of a wrong shape": (
        [{"role": "user", "content": [{"type": "text", "text": "a"}, "b"]}, ANSWER],
        'messages[0].content[1] must be {"type": "text", "text": "…"} and nothing else',
    ),
    "a part with more in it": (
        [{"role": "user", "content": [{"type": "text", "text": "a", "weight": 0}]}, ANSWER],
        'messages[0].content[0] must be {"type": "text", "text": "…"} and nothing else',
    ),
    "an empty answer": ([USER, {"role": "assistant", "content": ""}], "messages[1]: the assistant says nothing"),
    "a blank answer": ([USER, {"role": "assistant", "content": " \n"}], "messages[1]: the assistant says nothing"),
    "an answer of no parts": ([USER, {"role": "assistant", "content": []}], "messages[1]: the assistant says nothing"),
    "an unknown key": (
        [USER, {**ANSWER, "tool_cals": [CALL]}],
        "messages[1] has the unknown key `tool_cals`; did you mean `tool_calls`?",
    ),
    "a key of another role": ([{**USER, "tool_calls": [CALL]}, ANSWER], "messages[0] has the unknown key `tool_calls`"),
    "a refusal": ([USER, {**ANSWER, "refusal": "no"}], "messages[1] has the unknown key `refusal`"),
    "weight 0": (
        [USER, {**ANSWER, "weight": 0}, ANSWER],
        "messages[1] has a weight other than 1: assistant messages are all trained on",
    ),
    "an empty name": ([{**USER, "name": ""}, ANSWER], "messages[0].name is empty"),
    "a name of a wrong type": ([{**USER, "name": 3}, ANSWER], "messages[0].name is a number, not a text"),
}

ORDER = {
    "no assistant": ([SYSTEM, USER], "`messages` has no assistant message: there is nothing to learn"),
    "only the assistant": (
        [ANSWER],
        "messages[0] is of the role assistant: a conversation begins with the user",
    ),
    "the assistant first": (
        [SYSTEM, ANSWER, USER, ANSWER],
        "messages[1] is of the role assistant: a conversation begins with the user",
    ),
    "the user last": (
        [USER, ANSWER, USER],
        "messages[2], the last, is of the role user: there is nothing to learn after it",
    ),
    "a late system": ([USER, SYSTEM, ANSWER], "messages[1] is a system message, which may only come first"),
    "two systems": ([SYSTEM, SYSTEM, USER, ANSWER], "messages[1] is a system message, which may only come first"),
}

CALLS = {
    "an answer to nothing": (
        [USER, ANSWER, RESULT, ANSWER],
        "messages[2] answers the tool call `c1`, which is not open",
    ),
    "an answer to another": (
        [USER, CALLING, {**RESULT, "tool_call_id": "c9"}, ANSWER],
        "messages[2] answers the tool call `c9`, which is not open",
    ),
    "an answer twice": (
        [USER, CALLING, RESULT, RESULT, ANSWER],
        "messages[3] answers the tool call `c1`, which is not open",
    ),
    "an answer without id": (
        [USER, CALLING, {"role": "tool", "content": "rain"}, ANSWER],
        "messages[2] is a tool's answer without `tool_call_id`",
    ),
    "no answer": ([USER, CALLING, USER, ANSWER], "messages[2] comes before the answer to the tool call `c1`"),
    "the tool last": (
        [USER, CALLING, RESULT],
        "messages[2], the last, is of the role tool: there is nothing to learn after it",
    ),
    "calls of a wrong type": (
        [USER, {**CALLING, "tool_calls": {"a": 1}}],
        "messages[1].tool_calls is an object, not a list of calls",
    ),
    "a call of a wrong type": (
        [USER, {**CALLING, "tool_calls": ["x"]}],
        "messages[1].tool_calls[0] is a text, not an object",
    ),
    "no calls and no content": (
        [USER, {**CALLING, "tool_calls": []}],
        "messages[1].content is null, not a text or a list of parts",
    ),
    "one id twice": (
        [USER, {**CALLING, "tool_calls": [CALL, CALL]}],
        "messages[1].tool_calls has two calls with one id",
    ),
    "no id": ([USER, calling(id=None)], "messages[1].tool_calls[0] has no `id`"),
    "an unknown key": ([USER, calling(args={})], "messages[1].tool_calls[0] has the unknown key `args`"),
    "another type": ([USER, calling(type="code")], "messages[1].tool_calls[0].type is not `function`"),
    "no function": ([USER, calling(function=None)], "messages[1].tool_calls[0] has no `function`"),
    "no name": ([USER, function(name="")], "messages[1].tool_calls[0].function has no `name`"),
    "no arguments": (
        [USER, calling(function={"name": "weather"})],
        "messages[1].tool_calls[0].function.arguments is null, not JSON in a text",
    ),
    "arguments cut short": (
        [USER, function(arguments='{"city": ')],
        "messages[1].tool_calls[0].function.arguments is not JSON: unexpected end of data at character 10",
    ),
    "arguments not an object": (
        [USER, function(arguments='"Ulm"')],
        "messages[1].tool_calls[0].function.arguments is a text in a text, not an object",
    ),
}


@pytest.mark.parametrize(("messages", "expected"), SHAPES.values(), ids=SHAPES)
def test_a_message_of_a_wrong_shape_is_rejected(messages: Any, expected: str) -> None:
    assert reason(messages) == expected


@pytest.mark.parametrize(("messages", "expected"), ORDER.values(), ids=ORDER)
def test_a_conversation_in_a_wrong_order_is_rejected(messages: list[Message], expected: str) -> None:
    assert reason(messages) == expected


@pytest.mark.parametrize(("messages", "expected"), CALLS.values(), ids=CALLS)
def test_tool_calls_that_do_not_hold_together_are_rejected(messages: list[Message], expected: str) -> None:
    assert reason(messages) == expected


@pytest.mark.parametrize(
    ("tools", "expected"),
    [
        ("[]", "`tools` is a text, not a list of tools"),
        ([{"name": "weather"}], 'tools[0] must be {"type": "function", "function": {…}}'),
        ([{"type": "function", "function": {}}], "tools[0].function has no `name`"),
        (
            [{"type": "function", "function": {"name": "wether"}}],
            "messages[1].tool_calls[0] calls `weather`, which the row's tools lack; did you mean `wether`?",
        ),
    ],
)
def test_tools_that_are_wrong_are_rejected(tools: Any, expected: str) -> None:
    assert reason([USER, CALLING, RESULT, ANSWER], tools=tools) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"prompt": "a", "answer": "b"}, "`prompt`, `answer`"),
        ({"mesages": []}, "did you mean `mesages`?"),
        ({}, "none"),
        ({f"c{index}": 0 for index in range(11)}, "`c0`, `c1`, `c2`, `c3`, `c4`, `c5`, `c6`, `c7` and 3 more"),
    ],
)
def test_a_missing_column_is_named_with_those_that_there_are(row: dict[str, Any], expected: str) -> None:
    rejected = formatted(row)
    assert isinstance(rejected, Rejected)
    assert is_about(rejected.code, rejected.reason, f"missing-value {expected}")


def test_reasons_name_the_column_of_the_recipe() -> None:
    rejected = formatted({"chat": [3]}, messages="chat")
    assert isinstance(rejected, Rejected)
    assert is_about(rejected.code, rejected.reason, "wrong-type chat[0]")
