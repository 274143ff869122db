"""Shapes of rows that people have, with what ftrun makes of each. Prints the page `docs/reference/data-shapes.md`.

PYTHONPATH=runner:plugins:tests python tests/helpers/catalogue/data_shapes.py > docs/reference/data-shapes.md
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftrun.api.errors import InvalidInput
from helpers.format_stage import examples, formatted, written

INTRODUCTION = """\
# Shapes of data

With this page you can look up what ftrun makes of the rows that you have, and what to set for another result.

Each row below is read by a test, with the settings of `dataset` in the fourth column. Without settings, the formatter is
`auto`. Roles in bold are trained, the others are context. A word in brackets is the [error code](errors.md) of a row
or a column that stops the run.
"""
AUTO = {"formatter": {"name": "auto"}}


@dataclass(frozen=True)
class Shape:
    """A row, what becomes of it, and settings that make something else of it.

    Args:
        title: Name of the shape.
        row: The row.
        result: Result with the formatter `auto`, as `describe` gives it.
        settings: Settings of the dataset for another result.
        other: Result with these settings.
    """

    title: str
    row: Any
    result: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    other: str = ""


def says(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


Q, A = says("user", "Who?"), says("assistant", "Ada.")
Q2, A2 = says("user", "When?"), says("assistant", "1843.")
S = says("system", "Be brief.")
HUMAN, GPT = {"from": "human", "value": "Who?"}, {"from": "gpt", "value": "Ada."}
CALL = {"name": "look", "arguments": '{"at": "door"}'}
LOOK = {"name": "look", "parameters": {"type": "object", "properties": {"at": {"type": "string"}}}}
CHAT, TURN = "user, **assistant**", "user, assistant, user, **assistant**"
TEMPLATE = {"name": "template", "prompt": "{context}\n{question}\n", "answer": "{answer}"}


def ignore(*columns: str) -> dict[str, Any]:
    return {"ignore_columns": list(columns)}


def use(name: str, **options: Any) -> dict[str, Any]:
    return {"formatter": {"name": name, **options}}


SHAPES: Mapping[str, Sequence[Shape]] = {
    "Conversations": (
        Shape("OpenAI's fine-tuning files", {"messages": [S, Q, A]}, "system, user, **assistant**"),
        Shape("several turns", {"messages": [Q, A, Q2, A2]}, "user, **assistant**, user, **assistant**", use("chat", trained="last"), TURN),
        Shape("weights of OpenAI", {"messages": [Q, {**A, "weight": 0}, Q2, {**A2, "weight": 1}]}, TURN),
        Shape("flags for training", {"messages": [Q, A, Q2, {**A2, "train": True}]}, "user, **assistant**, user, **assistant**", use("chat", trained="marked"), TURN),
        Shape("a weight between", {"messages": [Q, {**A, "weight": 0.5}]}, "[unsupported-content]"),
        Shape("a system prompt in a column", {"system": "Be brief.", "messages": [Q, A]}, "system, user, **assistant**", ignore("system"), CHAT),
        Shape("content as parts", {"messages": [says("user", [{"type": "text", "text": "Who?"}]), A]}, CHAT),
        Shape("an image among the parts", {"messages": [says("user", [{"type": "image_url", "image_url": {"url": "a.png"}}]), A]}, "[unsupported-content]"),
        Shape("ids and times in messages", {"messages": [{**Q, "id": "m1", "timestamp": 5}, A]}, CHAT),
        Shape("another name of the column", {"dialogue": [Q, A]}, CHAT),
        Shape("JSON in a text", {"messages": json.dumps([Q, A])}, CHAT),
        Shape("a list as a row", [Q, A], CHAT),
        Shape("the assistant speaks first", {"messages": [A, Q, A2]}, "[turn-order]", use("chat", allow_assistant_first=True), "**assistant**, user, **assistant**"),
        Shape("no answer at the end", {"messages": [Q]}, "[turn-order]"),
        Shape("a text instead of messages", {"messages": "Who? Ada."}, "[mixed-rows]", use("completion", field="messages"), "**text**"),
        Shape("ShareGPT", {"conversations": [HUMAN, GPT]}, CHAT),
        Shape("ShareGPT with other roles", {"conversations": [HUMAN, {"from": "bot", "value": "Ada."}]}, "[unknown-role]", use("sharegpt", roles={"bot": "assistant"}), CHAT),
        Shape("ShareGPT with a system column", {"system": "Be brief.", "conversations": [HUMAN, GPT]}, "system, user, **assistant**"),
        Shape("two conversations", {"messages": [Q, A], "conversations": [HUMAN, {"from": "gpt", "value": "Bob."}]}, "[mixed-rows]", ignore("conversations"), CHAT),
        Shape("nested under a key", {"row_idx": 0, "row": {"messages": [Q, A]}}, "[unknown-format]", {"row_key": "row"}, CHAT),
    ),
    "Tools and thoughts": (
        Shape("calls of tools", {"tools": [{"type": "function", "function": LOOK}], "messages": [Q, says("assistant", None, tool_calls=[{"id": "c1", "type": "function", "function": CALL}]), says("tool", "Ada.", tool_call_id="c1"), A]}, "user, **assistant**, tool, **assistant**"),
        Shape("calls without ids, bare tools", {"tools": [LOOK], "messages": [Q, says("assistant", None, tool_calls=[{"function": CALL}]), says("tool", "Ada."), A]}, "user, **assistant**, tool, **assistant**"),
        Shape("functions of older exports", {"functions": [LOOK], "messages": [Q, says("assistant", None, function_call=CALL), says("function", "Ada.", name="look"), A]}, "user, **assistant**, tool, **assistant**"),
        Shape("calls in ShareGPT", {"conversations": [HUMAN, {"from": "function_call", "value": json.dumps({"name": "look", "arguments": {}})}, {"from": "observation", "value": "Ada."}, GPT]}, "user, **assistant**, tool, **assistant**"),
        Shape("thoughts in a key", {"messages": [Q, {**A, "reasoning_content": "She wrote it."}]}, "user, **assistant with thoughts**"),
        Shape("thoughts in a part", {"messages": [Q, says("assistant", [{"type": "thinking", "thinking": "She wrote it."}, {"type": "text", "text": "Ada."}])]}, "user, **assistant with thoughts**"),
        Shape("thoughts in the text", {"messages": [Q, says("assistant", "<think>She wrote it.</think>Ada.")]}, CHAT),
        Shape("thoughts in a column", {"question": "Who?", "reasoning": "She wrote it.", "answer": "Ada."}, "[unread-column]", use("template", prompt="{question}\n", answer="{reasoning}\n{answer}"), "text, **text**"),
    ),
    "Instructions": (
        Shape("Stanford Alpaca", {"instruction": "Who?", "input": "", "output": "Ada."}, CHAT, use("alpaca", style="text"), "text, **text**"),
        Shape("input and output", {"input": "Who?", "output": "Ada."}, CHAT),
        Shape("Dolly", {"instruction": "Who?", "context": "The first programmer.", "response": "Ada.", "category": "qa"}, "[unread-column]", use("alpaca", input="context", output="response"), CHAT),
        Shape("a question and its answer", {"question": "Who?", "answer": "Ada."}, CHAT),
        Shape("a question with a context", {"question": "Who?", "context": "CREATE TABLE a (b INT)", "answer": "Ada."}, "[unread-column]", {"formatter": TEMPLATE}, "text, **text**"),
        Shape("a prompt and a response", {"prompt": "Who?", "response": "Ada."}, CHAT),
        Shape("a prompt and its completion", {"prompt": "Who? ", "completion": "Ada."}, "text, **text**", use("alpaca", instruction="prompt", output="completion"), CHAT),
        Shape("a system prompt of another name", {"system_prompt": "Be brief.", "question": "Who?", "response": "Ada."}, "[unread-column]", use("alpaca", instruction="question", output="response", system="system_prompt"), "system, user, **assistant**"),
        Shape("earlier turns", {"instruction": "When?", "output": "1843.", "history": [["Who?", "Ada."]]}, "user, **assistant**, user, **assistant**"),
        Shape("answers that are numbers", {"question": "How many?", "answer": 42}, CHAT),
        Shape("answers of a choice", {"question": "Who?", "choices": ["Ada", "Bob"], "answer": 0}, "[unread-column]", {"ignore_columns": ["choices"]}, CHAT),
        Shape("answers that are objects", {"question": "Who?", "answer": {"name": "Ada"}}, "[unknown-format]", use("alpaca", instruction="question", output="answer", values="json"), CHAT),
    ),
    "Preferences and labels": (
        Shape("chosen and rejected conversations", {"chosen": [Q, A], "rejected": [Q, says("assistant", "Bob.")]}, "[mixed-rows]", {**use("chat", messages="chosen"), **ignore("rejected")}, CHAT),
        Shape("chosen and rejected answers", {"prompt": "Who?", "chosen": "Ada.", "rejected": "Bob."}, "[unknown-format]", {**use("alpaca", instruction="prompt", output="chosen"), **ignore("rejected")}, CHAT),
        Shape("a prompt, chosen and rejected messages", {"prompt": [Q], "chosen": [A], "rejected": [says("assistant", "Bob.")]}, "[mixed-rows]", {**use("chat", messages="prompt", answer="chosen"), **ignore("rejected")}, CHAT),
        Shape("OpenAI's preferences", {"input": {"messages": [Q]}, "preferred_output": [A], "non_preferred_output": [says("assistant", "Bob.")]}, "[mixed-rows]", {**use("chat", messages="input", answer="preferred_output"), **ignore("non_preferred_output")}, CHAT),
        Shape("an answer and a rejected one", {"instruction": "Who?", "output": "Ada.", "rejected_response": "Bob."}, "[unread-column]", ignore("rejected_response"), CHAT),
        Shape("labels of KTO", {"prompt": "Who?", "completion": "Ada.", "label": True}, "[unread-column]", {"filters": [{"column": "label", "equals": True}]}, "text, **text**"),
        Shape("weights of rows", {"question": "Who?", "answer": "Ada.", "weight": 0.5}, "[unread-column]", ignore("weight"), CHAT),
    ),
    "Texts": (
        Shape("plain text", {"text": "Ada wrote the first program."}, "**text**"),
        Shape("a text with metadata", {"text": "Ada.", "url": "https://example.org", "id": 7}, "**text**"),
        Shape("one column of another name", {"content": "Ada."}, "**text**"),
        Shape("several texts", {"title": "Ada", "body": "She wrote it."}, "[unknown-format]", use("completion", field="body"), "**text**"),
        Shape("a text and its label", {"text": "Ada.", "label": "person"}, "[unread-column]", use("template", prompt="{text}\n", answer="{label}"), "text, **text**"),
        Shape("texts with masks", {"segments": [{"text": "Who? ", "label": False}, {"text": "Ada.", "label": True}]}, "text, **text**"),
        Shape("images beside a conversation", {"messages": [Q, A], "images": ["a.png"]}, "[unread-column]"),
    ),
}  # fmt: skip


def describe(row: Any, settings: Mapping[str, Any]) -> str:
    """Return what the stage `format` makes of a row: the parts of the example, or the code of the problem."""
    with tempfile.TemporaryDirectory() as folder:
        data = written(Path(folder) / "data.jsonl", [row])
        dataset = {**AUTO, **settings}
        formatter = dataset.pop("formatter")
        try:
            (example,) = examples(formatted(Path(folder), data, formatter, **dataset))
        except InvalidInput as error:
            return f"[{next(problem.code for problem in error.problems if problem.code != 'bad-rows')}]"
    return ", ".join(_parts(example))


def _parts(example: Mapping[str, Any]) -> Iterator[str]:
    if "text" in example:
        yield "**text**"
    for segment in example.get("segments", ()):
        yield "**text**" if segment["label"] else "text"
    for message in example.get("messages", ()):
        name = message["role"] + (" with thoughts" if "reasoning_content" in message else "")
        is_trained = message["role"] == "assistant" and message.get("train") is not False
        yield f"**{name}**" if is_trained else name


def page() -> str:
    """Return the page, made of the results that the table expects."""
    lines = [INTRODUCTION]
    for group, shapes in SHAPES.items():
        lines += [f"## {group}\n", "| shape | row | ftrun makes | with | ftrun makes |", "|---|---|---|---|---|"]
        for shape in shapes:
            settings = _code(shape.settings) if shape.settings else ""
            lines.append(f"| {shape.title} | {_code(shape.row)} | {shape.result} | {settings} | {shape.other} |")
        lines.append("")
    return "\n".join(lines)


def _code(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False).replace("|", "\\|")
    return f"`{text}`"


if __name__ == "__main__":
    sys.stdout.write(page())
