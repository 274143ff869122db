"""Shapes of conversations that people bring, in our own words, and what the formatters make of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftrun.api.rows import Chat, Rejected, Row, Segments, Text
from ftrun_plugins.data.formatters.alpaca import Alpaca
from ftrun_plugins.data.formatters.chat import ChatFormatter
from ftrun_plugins.data.formatters.completion import Completion
from ftrun_plugins.data.formatters.sharegpt import ShareGpt
from ftrun_plugins.data.formatters.template import Template


def says(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


USER, ANSWER = says("user", "Who?"), says("assistant", "The miller.")
AGAIN, SECOND = says("user", "And now?"), says("assistant", "The baker.")
FUNCTION = {"name": "look", "arguments": '{"at":"door"}'}
LOOK = {
    "name": "look",
    "description": "Look",
    "parameters": {"type": "object", "properties": {"at": {"type": "string"}}},
}


def called(number: int = 1) -> dict[str, Any]:
    return {"id": f"call{number:05}", "type": "function", "function": FUNCTION}


def chat(messages: Any, options: dict[str, Any] | None = None, **columns: Any) -> Chat:
    example = ChatFormatter().format(
        Row({"messages": messages, **columns}, "f", 1), ChatFormatter.Options.model_validate(options or {})
    )
    assert isinstance(example, Chat), example
    return example


def share(turns: Any, options: dict[str, Any] | None = None) -> Chat | Rejected:
    return ShareGpt().format(Row({"conversations": turns}, "f", 1), ShareGpt.Options.model_validate(options or {}))


UNTRAINED = {**ANSWER, "train": False}
TWO = [USER, ANSWER, AGAIN, SECOND]


@pytest.mark.parametrize(
    ("messages", "trained", "expected"),
    [
        (TWO, "all", TWO),
        (TWO, "last", [USER, UNTRAINED, AGAIN, SECOND]),
        ([USER, {**ANSWER, "weight": 0}, AGAIN, {**SECOND, "weight": 1}], "all", [USER, UNTRAINED, AGAIN, SECOND]),
        ([USER, {**ANSWER, "weight": 0}, AGAIN, SECOND], "all", [USER, UNTRAINED, AGAIN, SECOND]),
        ([USER, {**ANSWER, "weight": 0.0}, AGAIN, {**SECOND, "weight": 1.0}], "all", [USER, UNTRAINED, AGAIN, SECOND]),
        ([USER, {**ANSWER, "train": False}, AGAIN, SECOND], "all", [USER, UNTRAINED, AGAIN, SECOND]),
        ([USER, ANSWER, AGAIN, {**SECOND, "training": True}], "marked", [USER, UNTRAINED, AGAIN, SECOND]),
        ([USER, {**ANSWER, "weight": 1}, AGAIN, {**SECOND, "weight": 0}], "last", [USER, UNTRAINED, AGAIN, SECOND]),
    ],
)
def test_messages_of_the_assistant_that_are_trained(messages: Any, trained: str, expected: Any) -> None:
    assert chat(messages, {"trained": trained}).messages == expected


def test_turns_of_sharegpt_that_are_trained() -> None:
    turns = [
        {"from": "human", "value": "Who?", "weight": 0},
        {"from": "gpt", "value": "The miller.", "weight": 0},
        {"from": "human", "value": "And now?"},
        {"from": "gpt", "value": "The baker.", "weight": 1},
    ]
    for options in ({}, {"trained": "last"}, {"trained": "marked"}):
        example = share(turns, options)
        assert isinstance(example, Chat)
        assert example.messages == [USER, UNTRAINED, AGAIN, SECOND]


@pytest.mark.parametrize("weight", [1, 0.5])
def test_a_turn_of_the_user_is_not_trained(weight: float) -> None:
    turns = [{"from": "human", "value": "Who?", "weight": weight}, {"from": "gpt", "value": "The miller."}]
    rejected = share(turns)
    assert isinstance(rejected, Rejected)
    assert rejected.code == "unsupported-content"


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning", "thinking"])
def test_thoughts_in_a_key(key: str) -> None:
    thinking = {**ANSWER, "reasoning_content": "He has flour."}
    assert chat([USER, {**ANSWER, key: "He has flour."}]).messages == [USER, thinking]
    assert chat([USER, {**ANSWER, key: ""}]).messages == [USER, ANSWER]


@pytest.mark.parametrize(
    "part", [{"type": "thinking", "thinking": "He has flour."}, {"type": "reasoning", "text": "He has flour."}]
)
def test_thoughts_in_a_part(part: dict[str, Any]) -> None:
    answer = says("assistant", [part, {"type": "text", "text": "The miller."}])
    assert chat([USER, answer]).messages == [USER, {**ANSWER, "reasoning_content": "He has flour."}]


def test_thoughts_in_the_text_stay_there() -> None:
    answer = says("assistant", "<think>He has flour.</think>The miller.")
    assert chat([USER, answer]).messages == [USER, answer]


def test_calls_without_ids_get_them_with_their_answers() -> None:
    call = {"type": "function", "function": FUNCTION}
    messages = [USER, says("assistant", None, tool_calls=[call, call]), says("tool", "a"), says("tool", "b"), ANSWER]
    example = chat(messages)
    assert example.messages[1]["tool_calls"] == [called(1), called(2)]
    assert [message.get("tool_call_id") for message in example.messages[2:4]] == ["call00001", "call00002"]


def test_functions_of_older_exports() -> None:
    messages = [USER, says("assistant", None, function_call=FUNCTION), says("function", "rain", name="look"), ANSWER]
    example = chat(messages, functions=[LOOK])
    assert example.messages == [
        USER,
        says("assistant", "", tool_calls=[called()]),
        says("tool", "rain", name="look", tool_call_id="call00001"),
        ANSWER,
    ]
    assert example.tools == [{"type": "function", "function": LOOK}]


@pytest.mark.parametrize("tools", [[LOOK], [{"type": "function", "function": LOOK}]])
def test_tools_are_bare_or_wrapped(tools: Any) -> None:
    assert chat([USER, ANSWER], tools=tools).tools == [{"type": "function", "function": LOOK}]


def test_keys_that_carry_nothing_are_left_out_and_named() -> None:
    messages = [{**USER, "id": "m1", "timestamp": 5}, {**ANSWER, "id": "m2"}]
    example = chat(messages)
    assert example.messages == [USER, ANSWER]
    assert example.ignored == {"messages[].id": "m1", "messages[].timestamp": 5}


def test_a_system_prompt_in_a_column() -> None:
    system = says("system", "Be brief.")
    assert chat([USER, ANSWER], system="Be brief.").messages == [system, USER, ANSWER]
    assert chat([system, USER, ANSWER], system="Be brief.").messages == [system, USER, ANSWER]


def test_the_assistant_may_speak_first_if_the_recipe_says_so() -> None:
    messages = [SECOND, USER, ANSWER]
    assert chat(messages, {"allow_assistant_first": True}).messages == messages
    rejected = ChatFormatter().format(Row({"messages": messages}, "f", 1), ChatFormatter.Options())
    assert isinstance(rejected, Rejected)
    assert rejected.code == "turn-order"
    assert "allow_assistant_first" in rejected.reason
    turns = [
        {"from": "gpt", "value": "The baker."},
        {"from": "human", "value": "Who?"},
        {"from": "gpt", "value": "The miller."},
    ]
    first = share(turns, {"allow_assistant_first": True})
    assert isinstance(first, Chat)
    assert first.messages == messages


@given(st.one_of(st.integers(-(2**62), 2**62), st.booleans(), st.floats(-(2.0**62), 2.0**62)))
def test_numbers_and_booleans_are_texts_as_json_writes_them(value: float) -> None:
    text = {True: "true", False: "false"}.get(value) if isinstance(value, bool) else str(value)
    example = Alpaca().format(Row({"instruction": "Who?", "output": value}, "f", 1), Alpaca.Options())
    assert isinstance(example, Chat)
    assert example.messages[-1]["content"] == text
    assert Completion().format(Row({"text": value}, "f", 1), Completion.Options()) == Text(str(text))
    assert chat([USER, says("assistant", value)]).messages[-1]["content"] == text


OBJECT, JSON = {"name": "Ada", "born": None}, '{"name": "Ada", "born": null}'


def test_objects_are_json_if_the_recipe_says_so() -> None:
    values = {"values": "json"}
    example = Alpaca().format(
        Row({"instruction": "Who?", "output": OBJECT}, "f", 1), Alpaca.Options.model_validate(values)
    )
    assert isinstance(example, Chat)
    assert example.messages[-1]["content"] == JSON
    assert Completion().format(Row({"text": OBJECT}, "f", 1), Completion.Options.model_validate(values)) == Text(JSON)
    assert chat([USER, says("assistant", OBJECT)], values).messages[-1]["content"] == JSON
    assert chat([USER, says("assistant", ["a", 1])], values).messages[-1]["content"] == '["a", 1]'
    options = Template.Options.model_validate({"prompt": "{q}", "answer": "{a}", **values})
    assert Template().format(Row({"q": "Who?", "a": OBJECT}, "f", 1), options) == Segments(
        (("Who?", False), (JSON, True))
    )


@pytest.mark.parametrize("value", [OBJECT, [1], None])
def test_objects_are_refused_with_the_option_that_reads_them(value: Any) -> None:
    rejected = Alpaca().format(Row({"instruction": "Who?", "output": value}, "f", 1), Alpaca.Options())
    assert isinstance(rejected, Rejected)
    assert rejected.code == "wrong-type"
    assert ("values: json" in rejected.reason) == (value is not None)


def test_null_arguments_that_the_tool_lacks_are_padding() -> None:
    padded = {
        "name": "look",
        "arguments": {"at": "door", "to": None, "deep": {"x": None}, "list": [{"y": None, "z": 1}]},
    }
    messages = [USER, says("assistant", None, tool_calls=[{"id": "c", "type": "function", "function": padded}])]
    (call,) = chat(messages, tools=[LOOK]).messages[1]["tool_calls"]
    assert call["function"]["arguments"] == '{"at":"door","deep":{},"list":[{"z":1}]}'


def test_null_arguments_that_the_tool_has_stay() -> None:
    function = {"name": "look", "arguments": {"at": None}}
    messages = [USER, says("assistant", None, tool_calls=[{"id": "c", "type": "function", "function": function}])]
    (call,) = chat(messages, tools=[LOOK]).messages[1]["tool_calls"]
    assert call["function"]["arguments"] == '{"at":null}'


def test_a_conversation_may_be_json_in_a_text() -> None:
    assert chat('[{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "The miller."}]').messages == [
        USER,
        ANSWER,
    ]
    example = share('[{"from": "human", "value": "Who?"}, {"from": "gpt", "value": "The miller."}]')
    assert isinstance(example, Chat)
    assert example.messages == [USER, ANSWER]
