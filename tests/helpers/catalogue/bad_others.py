"""Rows that the formatters `sharegpt`, `alpaca`, `completion`, `template` and `auto` refuse."""

from __future__ import annotations

from typing import Any

from helpers.catalogue.case import Bad

HUMAN = {"from": "human", "value": "Hi?"}
GPT = {"from": "gpt", "value": "Hi."}
CALL = {"from": "function_call", "value": '{"name": "look", "arguments": {}}'}
SEEN = {"from": "observation", "value": "x"}
CHAT = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
SHARE = {"conversations": [HUMAN, GPT]}
ALPACA = {"instruction": "a", "output": "b"}


def row(name: str, formatter: str, values: dict[str, Any], reason: str, **options: Any) -> Bad:
    return Bad(f"{formatter}, {name}", [values], reason, formatter={"name": formatter, **options})


def share(name: str, turns: Any, reason: str, **columns: Any) -> Bad:
    return row(name, "sharegpt", {"conversations": turns, **columns}, reason)


def alpaca(name: str, reason: str, **changes: Any) -> Bad:
    return row(name, "alpaca", {**ALPACA, **changes}, reason)


def fill(name: str, value: Any, reason: str) -> Bad:
    return row(name, "template", {"a": value}, reason, prompt="Q: ", answer="{a}")


def auto(name: str, rows: list[Any], reason: str, where: str | None = "data.jsonl:1") -> Bad:
    return Bad(f"auto, {name}", rows, reason, where, {"name": "auto"})


CASES = [
    share("null", None, "wrong-type conversations"),
    share("none", [], "empty-value conversations"),
    share("OpenAI's keys", [{"role": "user", "content": "a"}], "missing-value conversations[0]"),
    share("a number among them", [HUMAN, 3], "wrong-type conversations[1]"),
    share("a role that nobody has", [{"from": "bing", "value": "a"}], "unknown-role conversations[0]"),
    share("a misspelt role", [{"from": "humna", "value": "a"}], "unknown-role conversations[0]"),
    share("a role that is null", [{"from": None, "value": "a"}], "wrong-type conversations[0].from"),
    share("no value", [HUMAN, {"from": "gpt"}], "missing-value conversations[1]"),
    share("a value that is a list", [{"from": "human", "value": []}, GPT], "wrong-type conversations[0].value"),
    share("a silent model", [HUMAN, {"from": "gpt", "value": " "}], "empty-value conversations[1]"),
    share("an unknown key", [HUMAN, {**GPT, "vlaue": "a"}], "unknown-key conversations[1]"),
    share("a weight of zero alone", [HUMAN, {**GPT, "weight": 0}], "empty-value conversations"),
    share("a user with a weight", [{**HUMAN, "weight": 1}, GPT], "unsupported-content conversations[0]"),
    share("the model first", [GPT, HUMAN, GPT], "turn-order conversations[0]"),
    share("the user last", [HUMAN, GPT, HUMAN], "turn-order conversations[2]"),
    share("no model", [HUMAN], "turn-order conversations"),
    share("two system prompts", [{"from": "system", "value": "a"}, HUMAN, GPT], "turn-order system", system="b"),
    share("a system prompt that is a list", [HUMAN, GPT], "wrong-type system", system=["a"]),
    share("a call that is no JSON", [HUMAN, {**CALL, "value": "look()"}], "invalid-json conversations[1].value"),
    share("a call without a name", [HUMAN, {**CALL, "value": "{}"}], "wrong-type conversations[1].value"),
    share("a call with a list", [HUMAN, {**CALL, "value": '{"name": "look", "arguments": [1]}'}], "wrong-type conversations[1].value.arguments"),
    share("an empty list of calls", [HUMAN, {**CALL, "value": "[]"}], "bad-tool-call conversations[1].value"),
    share("a tool that nobody called", [HUMAN, SEEN, GPT], "bad-tool-call conversations[1]"),
    share("more answers than calls", [HUMAN, CALL, SEEN, SEEN, GPT], "bad-tool-call conversations[3]"),
    share("fewer answers than calls", [HUMAN, {**CALL, "value": '[{"name": "a"}, {"name": "b"}]'}, SEEN, GPT], "bad-tool-call conversations[3]"),
    share("tools that are no JSON", [HUMAN, GPT], "invalid-json tools", tools="look"),
    share("a tool without a name", [HUMAN, GPT], "missing-value tools[0].function", tools='[{"type": "function", "function": {}}]'),
    row("no conversations", "sharegpt", {"conversation": []}, "missing-value conversations"),
    alpaca("no text in the output", "empty-value output", output=""),
    alpaca("an output of spaces", "empty-value output", output=" \n"),
    alpaca("an output that is an object", "wrong-type output", output={}),
    alpaca("an empty instruction", "empty-value instruction", instruction=""),
    alpaca("an input that is a list", "wrong-type input", input=["a"]),
    alpaca("a history that is a text", "wrong-type history", history="a"),
    alpaca("a history of single texts", "wrong-type history[0]", history=["a", "b"]),
    alpaca("a history of threes", "wrong-type history[0]", history=[["a", "b", "c"]]),
    alpaca("a history with null", "wrong-type history[0][1]", history=[["a", None]]),
    alpaca("a history without an answer", "empty-value history[0][1]", history=[["a", ""]]),
    row("no output", "alpaca", {"instruction": "a"}, "missing-value output"),
    row("a misspelt option", "alpaca", {**ALPACA, "context": "c"}, "missing-value contxt", input="contxt"),
    row("no text", "completion", {"txt": "a"}, "missing-value text"),
    row("null", "completion", {"text": None}, "wrong-type text"),
    row("an empty text", "completion", {"text": ""}, "empty-value text"),
    row("a text of spaces", "completion", {"text": "\u2028\t"}, "empty-value text"),
    fill("a list", [1], "wrong-type a"),
    fill("null", None, "wrong-type a"),
    fill("a number that lost digits", 10**20, "wrong-type a"),
    fill("an empty answer", "", "empty-value a"),
    auto("two shapes", [CHAT, ALPACA, ALPACA], "mixed-rows", None),
    auto("a second shape in row 1,000", [*[CHAT] * 999, SHARE], "mixed-rows conversations", "data.jsonl:1000"),
    auto("one shape in two columns", [CHAT, {"dialog": CHAT["messages"]}], "mixed-rows dialog", "data.jsonl:2"),
    auto("a preference", [{"chosen": CHAT["messages"], "rejected": CHAT["messages"]}], "mixed-rows chosen"),
    auto("a prompt of messages", [{"prompt": CHAT["messages"][:1], "completion": CHAT["messages"][1:]}], "mixed-rows messages"),
    auto("no known shape", [{"a": 1, "b": "x"}], "unknown-format auto"),
    auto("only empty rows", [{}, {}], "unknown-format auto"),
    auto("a bad row among good ones", [CHAT, {"messages": []}], "empty-value messages", "data.jsonl:2"),
    auto("another shape behind the first 1,000", [*[CHAT] * 1000, ALPACA], "missing-value messages", "data.jsonl:1001"),
]  # fmt: skip
