from __future__ import annotations

import copy
import json
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


def is_rejected(messages: Any, reason: str, **columns: Any) -> bool:
    outcome = formatted({"messages": messages, **columns})
    assert isinstance(outcome, Rejected), outcome
    return is_about(outcome.code, outcome.reason, reason)


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


def test_tools_have_the_keys_of_a_served_request_in_their_order() -> None:
    function = {"strict": True, "parameters": {"type": "object"}, "returns": "text", "description": "d", "name": "f"}
    outcome = formatted({"tools": [{"type": "function", "function": function}], "messages": [USER, ANSWER]})

    assert isinstance(outcome, Chat)
    assert list(outcome.tools[0]["function"]) == ["name", "description", "parameters", "returns"]
    assert outcome.ignored == {"tools[].function.strict": True}


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
    "null": (None, "wrong-type `messages` is null"),
    "a text": ("hi", "wrong-type `messages` is a string"),
    "an object": ({}, "wrong-type `messages` is an object"),
    "empty": ([], "empty-value `messages`"),
    "not an object": ([USER, "hi"], "wrong-type messages[1] is a string"),
    "no role": ([{"from": "human", "value": "hi"}], "missing-value messages[0] has no `role`; it has `from`, `value`"),
    "role of a wrong type": ([{"role": ["user"], "content": "hi"}], "wrong-type messages[0].role is a list"),
    "unknown role": (
        [{"role": "asistant", "content": "hi"}],
        "unknown-role `asistant`, not one of system, developer, user, assistant, tool; did you mean `assistant`?",
    ),
    "unknown role, none near": (
        [{"role": "gpt", "content": "hi"}],
        "unknown-role messages[0] has the unknown role `gpt`, not one of system, developer, user, assistant, tool",
    ),
    "no content": ([USER, {"role": "assistant"}], "missing-value messages[1] has no `content`; it has `role`"),
    "null content": (
        [{"role": "user", "content": None}, ANSWER],
        "wrong-type messages[0].content is null",
    ),
    "content of a wrong type": (
        [{"role": "user", "content": {"a": 3}}, ANSWER],
        "wrong-type messages[0].content is an object",
    ),
    "an image": (
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}, ANSWER],
        "unsupported-content messages[0].content[0] has the type `image_url`",
    ),
    "a part of a wrong shape": (
        [{"role": "user", "content": [{"type": "text", "text": "a"}, "b"]}, ANSWER],
        "unsupported-content messages[0].content[1]",
    ),
    "a part with more in it": (
        [{"role": "user", "content": [{"type": "text", "text": "a", "weight": 0}]}, ANSWER],
        "unsupported-content messages[0].content[0]",
    ),
    "an empty answer": ([USER, {"role": "assistant", "content": ""}], "empty-value messages[1]"),
    "a blank answer": ([USER, {"role": "assistant", "content": " \n"}], "empty-value messages[1]"),
    "an answer of no parts": ([USER, {"role": "assistant", "content": []}], "empty-value messages[1]"),
    "an unknown key": (
        [USER, {**ANSWER, "tool_cals": [CALL]}],
        "unknown-key messages[1] has the unknown key `tool_cals`; did you mean `tool_calls`?",
    ),
    "a key of another role": (
        [{**USER, "tool_calls": [CALL]}, ANSWER],
        "unsupported-content messages[0] has the key `tool_calls`",
    ),
    "a refusal": ([USER, {**ANSWER, "refusal": "no"}], "unsupported-content messages[1] has the key `refusal`"),
    "a weight between": (
        [USER, {**ANSWER, "weight": 0.5}, ANSWER],
        "unsupported-content messages[1].weight is 0.5, but a message is either trained (1) or not (0)",
    ),
    "a weight of another type": (
        [USER, {**ANSWER, "weight": "1"}],
        "unsupported-content messages[1].weight is a string",
    ),
    "two marks that differ": (
        [USER, {**ANSWER, "weight": 1, "train": False}],
        "unsupported-content messages[1] has two marks that differ",
    ),
    "nothing to train": ([USER, {**ANSWER, "weight": 0}], "empty-value `messages` has no message of the assistant"),
    "a key that is misspelt": ([USER, {**ANSWER, "tool_call": [CALL]}], "unknown-key did you mean `tool_calls`"),
    "thoughts of the user": (
        [{"role": "user", "content": [{"type": "thinking", "thinking": "a"}]}, ANSWER],
        "unsupported-content messages[0] has thoughts",
    ),
    "thoughts that are no text": ([USER, {**ANSWER, "reasoning": ["a"]}], "wrong-type messages[1].reasoning is a list"),
    "an empty name": ([{**USER, "name": ""}, ANSWER], "empty-value messages[0].name"),
    "a name of a wrong type": ([{**USER, "name": 3}, ANSWER], "wrong-type messages[0].name is a number"),
}

ORDER = {
    "no assistant": ([SYSTEM, USER], "turn-order `messages` has no message with the role `assistant`"),
    "only the assistant": (
        [ANSWER],
        "turn-order messages[0] has the role `assistant`",
    ),
    "the assistant first": (
        [SYSTEM, ANSWER, USER, ANSWER],
        "turn-order messages[1] has the role `assistant`",
    ),
    "the user last": (
        [USER, ANSWER, USER],
        "turn-order messages[2] has the role `user`",
    ),
    "a late system": ([USER, SYSTEM, ANSWER], "turn-order messages[1] has the role `system`"),
    "two systems": ([SYSTEM, SYSTEM, USER, ANSWER], "turn-order messages[1] has the role `system`"),
}

CALLS = {
    "an answer to nothing": (
        [USER, ANSWER, RESULT, ANSWER],
        "bad-tool-call messages[2] answers the tool call `c1`",
    ),
    "an answer to another": (
        [USER, CALLING, {**RESULT, "tool_call_id": "c9"}, ANSWER],
        "bad-tool-call messages[2] answers the tool call `c9`",
    ),
    "an answer twice": (
        [USER, CALLING, RESULT, RESULT, ANSWER],
        "bad-tool-call messages[3] answers the tool call `c1`",
    ),
    "an answer without id": (
        [USER, CALLING, RESULT, {"role": "tool", "content": "rain"}, ANSWER],
        "bad-tool-call messages[3] is the answer of a tool, but no call is open",
    ),
    "no answer": (
        [USER, CALLING, USER, ANSWER],
        "bad-tool-call messages[2] comes before the answer to the tool call `c1`",
    ),
    "the tool last": (
        [USER, CALLING, RESULT],
        "turn-order messages[2] has the role `tool`",
    ),
    "calls of a wrong type": (
        [USER, {**CALLING, "tool_calls": {"a": 1}}],
        "wrong-type messages[1].tool_calls is an object",
    ),
    "a call of a wrong type": (
        [USER, {**CALLING, "tool_calls": ["x"]}],
        "wrong-type messages[1].tool_calls[0] is a string",
    ),
    "no calls and no content": (
        [USER, {**CALLING, "tool_calls": []}],
        "wrong-type messages[1].content is null",
    ),
    "one id twice": (
        [USER, {**CALLING, "tool_calls": [CALL, CALL]}],
        "bad-tool-call messages[1].tool_calls has two calls with the same `id`",
    ),
    "an id that is no text": ([USER, calling(id=7)], "wrong-type messages[1].tool_calls[0].id is a number"),
    "an unknown key": ([USER, calling(args={})], "unknown-key messages[1].tool_calls[0] has the unknown key `args`"),
    "another type": ([USER, calling(type="code")], "bad-tool-call messages[1].tool_calls[0].type is not `function`"),
    "no function": ([USER, calling(function=None)], "missing-value messages[1].tool_calls[0] has no `function`"),
    "no name": ([USER, function(name="")], "missing-value messages[1].tool_calls[0].function has no `name`"),
    "no arguments": (
        [USER, calling(function={"name": "weather"})],
        "wrong-type messages[1].tool_calls[0].function.arguments is null",
    ),
    "arguments cut short": (
        [USER, function(arguments='{"city": ')],
        "invalid-json messages[1].tool_calls[0].function.arguments is not JSON: unexpected end of data at character 10",
    ),
    "arguments not an object": (
        [USER, function(arguments='"Ulm"')],
        "wrong-type messages[1].tool_calls[0].function.arguments is a string",
    ),
}


@pytest.mark.parametrize(("messages", "expected"), SHAPES.values(), ids=SHAPES)
def test_a_message_of_a_wrong_shape_is_rejected(messages: Any, expected: str) -> None:
    assert is_rejected(messages, expected)


@pytest.mark.parametrize(("messages", "expected"), ORDER.values(), ids=ORDER)
def test_a_conversation_in_a_wrong_order_is_rejected(messages: list[Message], expected: str) -> None:
    assert is_rejected(messages, expected)


@pytest.mark.parametrize(("messages", "expected"), CALLS.values(), ids=CALLS)
def test_tool_calls_that_do_not_hold_together_are_rejected(messages: list[Message], expected: str) -> None:
    assert is_rejected(messages, expected)


@pytest.mark.parametrize(
    ("tools", "expected"),
    [
        ("{}", "wrong-type `tools` is an object"),
        ("[", "invalid-json `tools` is not JSON"),
        ([{"title": "weather"}], 'bad-tool-call tools[0] must be {"type": "function", "function": {…}}'),
        ([{"type": "function", "function": {}}], "missing-value tools[0].function has no `name`"),
        (
            [{"type": "function", "function": {"name": "wether"}}],
            "bad-tool-call tool_calls[0] calls `weather`, which is not in the row's tools; did you mean `wether`?",
        ),
    ],
)
def test_tools_that_are_wrong_are_rejected(tools: Any, expected: str) -> None:
    assert is_rejected([USER, CALLING, RESULT, ANSWER], expected, tools=tools)


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


def test_a_row_of_preferences_has_the_way_to_its_good_answers() -> None:
    question, good, bad = ([{"role": role, "content": "a"}] for role in ("user", "assistant", "assistant"))
    row = {"input": {"messages": question}, "preferred_output": good, "non_preferred_output": bad}
    rejected = formatted(row)
    assert isinstance(rejected, Rejected)
    assert rejected.code == "missing-value"
    assert "good" in rejected.reason


ASKED = [{"role": "user", "content": "Who?"}]
ANSWERED = [{"role": "assistant", "content": "Ada."}]
REQUEST = {"messages": ASKED, "tools": [], "parallel_tool_calls": True}


@pytest.mark.parametrize(
    "row",
    [
        {"asked": ASKED, "good": ANSWERED},
        {"asked": json.dumps(ASKED), "good": json.dumps(ANSWERED)},
        {"asked": ASKED, "good": "Ada."},
        {"asked": REQUEST, "good": ANSWERED},
    ],
    ids=["messages", "JSON", "text", "request"],
)
def test_the_last_answer_may_be_in_a_column_of_its_own(row: dict[str, Any]) -> None:
    example = formatted(row, messages="asked", answer="good")
    assert isinstance(example, Chat)
    assert example.messages == [*ASKED, *ANSWERED]
    assert list(example.ignored) == (["asked.parallel_tool_calls"] if row["asked"] is REQUEST else [])


def test_a_request_brings_its_tools() -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    example = formatted({"messages": {"messages": [*ASKED, *ANSWERED], "tools": [tool]}})
    assert isinstance(example, Chat)
    assert [one["function"]["name"] for one in example.tools] == ["look"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"asked": ASKED}, "missing-value"),
        ({"asked": ASKED, "good": None}, "wrong-type"),
        ({"asked": ASKED, "good": 3}, "wrong-type"),
        ({"asked": ASKED, "good": []}, "empty-value"),
        ({"asked": "Who?", "good": ANSWERED}, "wrong-type"),
        ({"asked": [], "good": ANSWERED}, "empty-value"),
        ({"asked": ASKED, "good": ASKED}, "turn-order"),
        ({"asked": {**REQUEST, "system": "Be brief."}, "good": ANSWERED}, "unsupported-content"),
    ],
)
def test_a_wrong_answer_column_is_refused(row: dict[str, Any], code: str) -> None:
    rejected = formatted(row, messages="asked", answer="good")
    assert isinstance(rejected, Rejected)
    assert rejected.code == code
