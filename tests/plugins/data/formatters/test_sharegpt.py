from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftrun.api.rows import Chat, Rejected, Row
from ftrun_plugins.data.formatters.chat import ChatFormatter
from ftrun_plugins.data.formatters.sharegpt import ShareGpt
from helpers.catalogue.case import is_about

HUMAN = {"from": "human", "value": "Weather in Ulm?"}
GPT = {"from": "gpt", "value": "Rain."}
CALLS = [{"name": "weather", "arguments": {"city": "Ulm"}}, {"name": "time"}]
CALLING = {"from": "function_call", "value": json.dumps(CALLS)}
SEEN = {"from": "observation", "value": "rain"}


def formatted(values: dict[str, Any], **options: Any) -> Chat | Rejected:
    before = copy.deepcopy(values)
    outcome = ShareGpt().format(Row(values, "data.jsonl", 7), ShareGpt.Options(**options))
    assert values == before, "the row itself must stay as it was"
    return outcome


def chat_of(values: dict[str, Any], **options: Any) -> Chat:
    outcome = formatted(values, **options)
    assert isinstance(outcome, Chat), outcome
    return outcome


def test_turns_become_messages() -> None:
    system = {"from": "system", "value": "Be brief."}

    assert chat_of({"conversations": [system, HUMAN, GPT, HUMAN, GPT]}).messages == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather in Ulm?"},
        {"role": "assistant", "content": "Rain."},
        {"role": "user", "content": "Weather in Ulm?"},
        {"role": "assistant", "content": "Rain."},
    ]


def test_columns_keys_and_roles_can_be_named() -> None:
    row = {"dialog": [{"who": "Q", "says": "a"}, {"who": "A", "says": "b"}], "persona": "Be brief."}
    options = {"conversations": "dialog", "role": "who", "content": "says", "system": "persona"}

    found = chat_of(row, **options, roles={"Q": "user", "A": "assistant"})

    assert [(message["role"], message["content"]) for message in found.messages] == [
        ("system", "Be brief."),
        ("user", "a"),
        ("assistant", "b"),
    ]


def test_answers_of_tools_belong_to_calls_in_their_order() -> None:
    found = chat_of({"conversations": [HUMAN, CALLING, SEEN, {**SEEN, "value": "noon"}, GPT]}).messages

    first, second = found[1]["tool_calls"]
    assert (first["id"], first["function"]) == ("call00001", {"name": "weather", "arguments": '{"city":"Ulm"}'})
    assert (second["id"], second["function"]) == ("call00002", {"name": "time", "arguments": "{}"})
    assert [(message["tool_call_id"], message["content"]) for message in found[2:4]] == [
        ("call00001", "rain"),
        ("call00002", "noon"),
    ]


def test_ids_go_on_through_a_conversation() -> None:
    once = [HUMAN, CALLING, SEEN, SEEN, GPT]
    found = chat_of({"conversations": once + once}).messages

    ids = [call["id"] for message in found for call in message.get("tool_calls", ())]
    assert ids == ["call00001", "call00002", "call00003", "call00004"]


@pytest.mark.parametrize("written", [json.dumps, lambda tools: tools], ids=["in a text", "as a list"])
def test_bare_functions_become_tools(written: Any) -> None:
    tools = [{"name": "weather"}, {"type": "function", "function": {"name": "time"}}]

    found = chat_of({"conversations": [HUMAN, CALLING, SEEN, SEEN, GPT], "tools": written(tools)})

    assert found.tools == [
        {"type": "function", "function": {"name": "weather"}},
        {"type": "function", "function": {"name": "time"}},
    ]


def test_a_call_of_an_undeclared_tool_is_refused() -> None:
    outcome = formatted({"conversations": [HUMAN, CALLING, SEEN, SEEN, GPT], "tools": '[{"name": "weather"}]'})

    assert isinstance(outcome, Rejected)
    assert is_about(outcome.code, outcome.reason, "bad-tool-call conversations[1].tool_calls[1] calls `time`")


texts = st.text(min_size=1).filter(lambda text: not text.isspace())


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=4), st.none() | texts)
def test_what_it_makes_is_what_the_formatter_chat_takes(pairs: list[tuple[str, str]], system: str | None) -> None:
    roles = ("human", "gpt")
    turns = [{"from": role, "value": text} for pair in pairs for role, text in zip(roles, pair, strict=True)]

    found = chat_of({"conversations": turns, "system": system})

    again = ChatFormatter().format(Row({"messages": list(found.messages)}, "x", 1), ChatFormatter.Options())
    assert again == Chat(found.messages)
    assert [message["content"] for message in found.messages if message["role"] != "system"] == [
        text for pair in pairs for text in pair
    ]
