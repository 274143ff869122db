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
KNOWN = "no row has a shape that `auto` knows; the first has"


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
    share("null", None, "`conversations` is null, not a list of turns"),
    share("none", [], "`conversations` is empty"),
    share("OpenAI's keys", [{"role": "user", "content": "a"}], "conversations[0] has no `from`; it has `role`, `content`"),
    share("a number among them", [HUMAN, 3], "conversations[1] is a number, not an object with from and value"),
    share("a role that nobody has", [{"from": "bing", "value": "a"}], "conversations[0] has the unknown role `bing`; say in `roles` which role it is"),
    share("a misspelt role", [{"from": "humna", "value": "a"}], "conversations[0] has the unknown role `humna`; did you mean `human`?"),
    share("a role that is null", [{"from": None, "value": "a"}], "conversations[0].from is null, not a text"),
    share("no value", [HUMAN, {"from": "gpt"}], "conversations[1] has no `value`; it has `from`"),
    share("a value that is a list", [{"from": "human", "value": []}, GPT], "conversations[0].value is a list, not a text"),
    share("a silent model", [HUMAN, {"from": "gpt", "value": " "}], "conversations[1]: the assistant says nothing"),
    share("an unknown key", [HUMAN, {**GPT, "vlaue": "a"}], "conversations[1] has the unknown key `vlaue`; did you mean `value`?"),
    share("a weight of zero", [HUMAN, {**GPT, "weight": 0}], "conversations[1] has a weight other than 1: all of the assistant's turns are trained on"),
    share("a user with a weight", [{**HUMAN, "weight": 1}, GPT], "conversations[0] has a weight other than 0: only the assistant's turns are trained on"),
    share("the model first", [GPT, HUMAN, GPT], "conversations[0] is of the role assistant: a conversation begins with the user"),
    share("the user last", [HUMAN, GPT, HUMAN], "conversations[2], the last, is of the role user: there is nothing to learn after it"),
    share("no model", [HUMAN], "`conversations` has no assistant message: there is nothing to learn"),
    share("two system prompts", [{"from": "system", "value": "a"}, HUMAN, GPT], "there are two system prompts: `system` and conversations[0]", system="b"),
    share("a system prompt that is a list", [HUMAN, GPT], "`system` is a list, not a text", system=["a"]),
    share("a call that is no JSON", [HUMAN, {**CALL, "value": "look()"}], "conversations[1].value is not JSON: …"),
    share("a call without a name", [HUMAN, {**CALL, "value": "{}"}], 'conversations[1].value is an object without `name`, not a call: {"name": "…", "arguments": {…}}'),
    share("a call with a list", [HUMAN, {**CALL, "value": '{"name": "look", "arguments": [1]}'}], "conversations[1].value.arguments is a list, not an object"),
    share("an empty list of calls", [HUMAN, {**CALL, "value": "[]"}], "conversations[1].value is a list without a call"),
    share("a tool that nobody called", [HUMAN, SEEN, GPT], "conversations[1] is a tool's answer to no call"),
    share("more answers than calls", [HUMAN, CALL, SEEN, SEEN, GPT], "conversations[3] is a tool's answer to no call"),
    share("fewer answers than calls", [HUMAN, {**CALL, "value": '[{"name": "a"}, {"name": "b"}]'}, SEEN, GPT], "conversations[3] comes before the answer to a call made before it"),
    share("tools that are no JSON", [HUMAN, GPT], "`tools` is not JSON: …", tools="look"),
    share("a tool without a name", [HUMAN, GPT], "tools[0].function has no `name`", tools='[{"type": "function", "function": {}}]'),
    row("no conversations", "sharegpt", {"conversation": []}, "there is no column `conversations`: the row has `conversation`; did you mean `conversation`?"),
    alpaca("no text in the output", "`output` is empty", output=""),
    alpaca("an output of spaces", "`output` is empty", output=" \n"),
    alpaca("an output that is a number", "`output` is a number, not a text", output=3),
    alpaca("an empty instruction", "`instruction` is empty", instruction=""),
    alpaca("an input that is a list", "`input` is a list, not a text", input=["a"]),
    alpaca("a history that is a text", "`history` is a text, not a list", history="a"),
    alpaca("a history of single texts", "history[0] is a text, not a pair of what the user said and the answer", history=["a", "b"]),
    alpaca("a history of threes", "history[0] is a list of 3, not a pair of what the user said and the answer", history=[["a", "b", "c"]]),
    alpaca("a history with null", "history[0][1] is null, not a text", history=[["a", None]]),
    alpaca("a history without an answer", "history[0][1]: the assistant says nothing", history=[["a", ""]]),
    row("no output", "alpaca", {"instruction": "a"}, "there is no column `output`: the row has `instruction`"),
    row("a misspelt option", "alpaca", {**ALPACA, "context": "c"}, "there is no column `contxt`: the row has `instruction`, `output`, `context`; did you mean `context`?", input="contxt"),
    row("no text", "completion", {"txt": "a"}, "there is no column `text`: the row has `txt`; did you mean `txt`?"),
    row("null", "completion", {"text": None}, "`text` is null, not a text"),
    row("an empty text", "completion", {"text": ""}, "`text` is empty: there is nothing to learn"),
    row("a text of spaces", "completion", {"text": "\u2028\t"}, "`text` is empty: there is nothing to learn"),
    fill("a list", [1], "`a` is a list, not a text, number or boolean"),
    fill("null", None, "`a` is null, not a text, number or boolean"),
    fill("a number that lost digits", 10**20, "`a` is a number too large to be kept exactly; write it as a text"),
    fill("an empty answer", "", "the answer, of `a`, is empty: there is nothing to learn"),
    auto("two shapes", [CHAT, ALPACA, ALPACA], "the first 3 rows have 2 different shapes", None),
    auto("a second shape in row 1,000", [*[CHAT] * 999, SHARE], "1 has a list of turns with from and value in `conversations`", "data.jsonl:1000"),
    auto("one shape in two columns", [CHAT, {"dialog": CHAT["messages"]}], "1 has a list of messages with role and content in `dialog`", "data.jsonl:2"),
    auto("a preference", [{"chosen": CHAT["messages"], "rejected": CHAT["messages"]}], "conversations are in `chosen` and `rejected`: which one is to be learnt is not for a program to guess"),
    auto("a prompt of messages", [{"prompt": CHAT["messages"][:1], "completion": CHAT["messages"][1:]}], "prompt and completion are lists of messages; join them in one column `messages`"),
    auto("no known shape", [{"a": 1, "b": "x"}], f"{KNOWN} `a`, `b`"),
    auto("only empty rows", [{}, {}], f"{KNOWN} none"),
    auto("a bad row among good ones", [CHAT, {"messages": []}], "`messages` is empty", "data.jsonl:2"),
    auto("another shape behind the first 1,000", [*[CHAT] * 1000, ALPACA], "there is no column `messages`: the row has `instruction`, `output`", "data.jsonl:1001"),
]  # fmt: skip
