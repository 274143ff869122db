"""Inputs that look wrong and are right, with the examples that they become."""

from __future__ import annotations

import gzip
from typing import Any

from helpers.catalogue.case import Odd

USER = {"role": "user", "content": "Hi?"}
ANSWER = {"role": "assistant", "content": "Hi."}
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
HUMAN, GPT = {"from": "human", "value": "Hi?"}, {"from": "gpt", "value": "Hi."}
CHAT = {"messages": [USER, ANSWER]}


def lines(name: str, content: bytes, *texts: str) -> Odd:
    return Odd(name, content, [{"text": text} for text in texts])


def chat(name: str, messages: list[Any], expected: list[Any] | None = None, **columns: Any) -> Odd:
    return Odd(name, [{"messages": messages, **columns}], [{"messages": expected or messages}], {"name": "chat"})


def share(name: str, turns: list[Any], expected: list[Any], **columns: Any) -> Odd:
    formatter = {"name": "sharegpt", "roles": {"bot": "assistant"}}
    return Odd(f"sharegpt, {name}", [{"conversations": turns, **columns}], [{"messages": expected}], formatter)


def alpaca(name: str, row: dict[str, Any], *expected: Any) -> Odd:
    return Odd(f"alpaca, {name}", [row], [{"messages": list(expected)}], {"name": "alpaca"})


def auto(name: str, rows: list[Any], *expected: Any) -> Odd:
    return Odd(f"auto, {name}", rows, expected, {"name": "auto"})


def says(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


CASES = [
    # lines
    lines("a BOM at the start", b'\xef\xbb\xbf{"text": "a"}\n', "a"),
    lines("gzip", gzip.compress(b'{"text": "a"}\n'), "a"),
    lines("CRLF", b'{"text": "a"}\r\n{"text": "b"}\r\n', "a", "b"),
    lines("no line end at the end", b'{"text": "a"}\n{"text": "b"}', "a", "b"),
    lines("blank lines", b'\n\n{"text": "a"}\n \t\n{"text": "b"}\n\n', "a", "b"),
    lines("spaces around the object", b'  {"text": "a"}\t \n', "a"),
    lines("all letters escaped", b'{"\\u0074ext": "\\u0061"}', "a"),
    lines("a character of two halves", b'{"text": "\\ud83d\\ude00"}', "😀"),
    lines("an escaped NUL", b'{"text": "a\\u0000b"}', "a\0b"),
    lines("line separators of Unicode", '{"text": "a\u2028b\u2029c\x85d"}'.encode(), "a\u2028b\u2029c\x85d"),
    lines("a noncharacter", b'{"text": "\xef\xbf\xbf"}', "\uffff"),
    lines("text from right to left", '{"text": "\u202eabc"}'.encode(), "\u202eabc"),
    lines("a terminal's escapes", b'{"text": "\\u001b[31mred"}', "\x1b[31mred"),
    lines("JSON in a text, with a key twice", b'{"text": "{\\"a\\": 1, \\"a\\": 2}"}', '{"a": 1, "a": 2}'),
    lines("a text of colons and quotes", b'{"text": "\\": \\":"}', '": ":'),
    lines("one key in two objects", b'{"text": "a", "m": {"text": "b"}}', "a"),
    lines("100 objects deep", b'{"text": "a", "m": ' + b'{"m": ' * 99 + b"1" + b"}" * 100, "a"),
    lines("numbers at the edge", b'{"text": "a", "n": [1e308, -0.0, 9007199254740993, 1e-999]}', "a"),
    lines("a text of 5 MB", b'{"text": "' + b"x" * 5_000_000 + b'"}', "x" * 5_000_000),
    lines("a digit", b'{"text": "7"}', "7"),
    lines("special tokens in the text", b'{"text": "<|im_end|></s>"}', "<|im_end|></s>"),
    # chat
    chat("an empty system prompt", [says("system", ""), USER, ANSWER]),
    chat("a silent user", [says("user", ""), ANSWER]),
    chat("two answers in a row", [USER, ANSWER, ANSWER]),
    chat("keys that say nothing", [USER, {**ANSWER, "refusal": None, "audio": None, "weight": 1}], [USER, ANSWER]),
    chat("parts of text", [{"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "?"}]}, ANSWER], [USER, ANSWER]),
    chat("a call at the end", [USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}], [USER, {"role": "assistant", "content": "", "tool_calls": [CALL]}]),
    chat("no tools", [USER, ANSWER], tools=[]),
    chat("a conversation of 1,000 turns", [USER, ANSWER] * 500),
    chat("columns that nobody asked for", [USER, ANSWER], **{f"c{i}": None for i in range(500)}),
    # sharegpt
    share("a role of the recipe's own", [HUMAN, {"from": "bot", "value": "Hi."}], [USER, ANSWER]),
    share("a weight on the model's turn", [{**HUMAN, "weight": 0}, {**GPT, "weight": 1}], [USER, ANSWER]),
    share("keys of old exports", [{**HUMAN, "text": None}, {**GPT, "markdown": None}], [USER, ANSWER]),
    share("a system prompt in a column", [HUMAN, GPT], [says("system", "Be brief."), USER, ANSWER], system="Be brief."),
    share("an empty system column", [HUMAN, GPT], [USER, ANSWER], system=""),
    share("calls without an id", [HUMAN, {"from": "function_call", "value": '{"name": "look"}'}, {"from": "observation", "value": "x"}, GPT], [
        USER,
        {"role": "assistant", "content": "", "tool_calls": [{"id": "call00001", "type": "function", "function": {"name": "look", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "call00001", "content": "x"},
        ANSWER,
    ]),
    share("a call in the model's own words", [HUMAN, {"from": "gpt", "value": "<call>"}, {"from": "tool", "value": "x"}, GPT], [USER, says("assistant", "<call>"), says("tool", "x"), ANSWER]),
    # alpaca
    alpaca("no input", {"instruction": "Hi?", "output": "Hi."}, USER, ANSWER),
    alpaca("an empty input", {"instruction": "Hi?", "input": "", "output": "Hi."}, USER, ANSWER),
    alpaca("an input that is null", {"instruction": "Hi?", "input": None, "output": "Hi."}, USER, ANSWER),
    alpaca("a history", {"instruction": "Hi?", "output": "Hi.", "history": [["a", "b"]], "system": "s"}, says("system", "s"), says("user", "a"), says("assistant", "b"), USER, ANSWER),
    alpaca("a text beside it", {"instruction": "Hi?", "output": "Hi.", "text": "### Instruction"}, USER, ANSWER),
    # auto
    auto("a table with a column for each shape", [{"messages": [USER, ANSWER], "text": None, "conversations": None}], CHAT),
    auto("a prompt beside the messages", [{"prompt": "Hi?", "prompt_id": "7", "messages": [USER, ANSWER]}], CHAT),
    auto("conversations in OpenAI's shape", [{"conversations": [USER, ANSWER]}], CHAT),
    auto("a question and its answer", [{"question": "Hi?", "answer": "Hi.", "id": 3}], CHAT),
    auto("a prompt and its completion", [{"prompt": "Hi", "completion": " you"}], {"segments": [{"text": "Hi", "label": False}, {"text": " you", "label": True}]}),
    auto("one column of another name", [{"content": "a"}], {"text": "a"}),
    # formatters of third parties
    Odd("a formatter: own text", [{"does": "own text"}], [{"text": "a"}], {"name": "misbehaving"}),
    Odd("a formatter: tuples", [{"does": "tuples"}], [{"messages": [says("user", "a"), says("assistant", "b")]}], {"name": "misbehaving"}),
]  # fmt: skip
