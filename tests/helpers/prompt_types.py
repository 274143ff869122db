"""Rows for each prompt type of axolotl, and what the import makes of them: the formatter, and its examples."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftrun.api.rows import Rejected, Row
from ftrun.plugins.manager import plugins
from ftrun_plugins.data.format.example_json import encode, kind_of
from ftrun_plugins.importing.axolotl.dataset_entry import DatasetPart, read_entry
from ftrun_plugins.importing.draft import ImportContext, RecipeDraft, Recorder

TASKS: list[dict[str, Any]] = [
    {"instruction": "Name the river.", "input": "It flows through Rome.", "output": "The Tiber."},
    {"instruction": "Count to three {aloud}.", "input": "", "output": " 1 2 3\n"},
    {"instruction": "Say yes.", "output": "Yes."},
]
WITH_SYSTEM: list[dict[str, Any]] = [
    {"system": "Be brief.", "instruction": "Name the river.", "input": "In Rome.", "output": "The Tiber."},
    {"system": "", "instruction": "Say yes.", "input": "", "output": "Yes."},
]
ORCA: list[dict[str, Any]] = [{"system_prompt": "Be brief.", "question": "Who wrote it?", "response": "Ada."}]
QUESTIONS: list[dict[str, Any]] = [{"question": "Who wrote it?", "answer": "Ada."}]
TURNS: list[dict[str, Any]] = [
    {"messages": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Ada."}]},
    {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Who?"},
            {"role": "assistant", "content": "Ada."},
            {"role": "user", "content": "When?"},
            {"role": "assistant", "content": "1843."},
        ]
    },
]
SHAREGPT: list[dict[str, Any]] = [
    {
        "conversations": [
            {"from": "system", "value": "Be brief."},
            {"from": "human", "value": "Who?"},
            {"from": "gpt", "value": "Ada."},
            {"from": "human", "value": "When?"},
            {"from": "gpt", "value": "1843."},
        ]
    }
]
MAPPED = {
    "type": "chat_template",
    "field_messages": "conversations",
    "message_property_mappings": {"role": "from", "content": "value"},
}


@dataclass(frozen=True)
class Case:
    """An entry of axolotl's `datasets` without its path, and rows for it."""

    entry: dict[str, Any]
    rows: list[dict[str, Any]]
    trainer: dict[str, Any] = field(default_factory=dict)
    tokenizers: tuple[str, ...] = ("begin",)


CASES: dict[str, Case] = {
    "alpaca": Case({"type": "alpaca"}, TASKS, tokenizers=("begin", "plain")),
    "alpaca on inputs": Case({"type": "alpaca"}, TASKS, {"train_on_inputs": True}),
    "alpaca:chat": Case({"type": "alpaca:chat"}, TASKS),
    "alpaca:chatml": Case({"type": "alpaca:chatml"}, TASKS),
    "alpaca:phi": Case({"type": "alpaca:phi"}, TASKS),
    "alpaca_chat.load_concise": Case({"type": "alpaca_chat.load_concise"}, TASKS),
    "alpaca_instruct": Case({"type": "alpaca_instruct"}, TASKS),
    "alpaca_instruct.load_no_prompt": Case({"type": "alpaca_instruct.load_no_prompt"}, TASKS),
    "alpaca_chat": Case({"type": "alpaca_chat"}, TASKS),
    "alpaca_chat instruct": Case({"type": "alpaca_chat", "conversation": "instruct"}, TASKS),
    "alpaca_chat.load_no_prompt": Case({"type": "alpaca_chat.load_no_prompt"}, TASKS),
    "alpaca_chat.load_qa": Case({"type": "alpaca_chat.load_qa"}, QUESTIONS),
    "alpaca_chat.load_camel_ai": Case(
        {"type": "alpaca_chat.load_camel_ai"}, [{"message_1": "Who wrote it?", "message_2": "Ada."}]
    ),
    "alpaca_w_system": Case({"type": "alpaca_w_system"}, WITH_SYSTEM),
    "alpaca_w_system.load_chat": Case({"type": "alpaca_w_system.load_chat"}, WITH_SYSTEM),
    "alpaca_w_system.load_instruct": Case({"type": "alpaca_w_system.load_instruct"}, WITH_SYSTEM),
    "alpaca_w_system.load_open_orca": Case({"type": "alpaca_w_system.load_open_orca"}, ORCA),
    "alpaca_w_system.load_open_orca_chatml": Case({"type": "alpaca_w_system.load_open_orca_chatml"}, ORCA),
    "orcamini": Case({"type": "orcamini"}, ORCA),
    "context_qa": Case(
        {"type": "context_qa"}, [{"article": "Ada wrote it.", "question": "Who wrote it?", "answer": "Ada."}]
    ),
    "context_qa.load_v2": Case(
        {"type": "context_qa.load_v2"}, [{"context": "Ada wrote it.", "question": "Who wrote it?", "answer": "Ada."}]
    ),
    "creative_acr.load_answer": Case(
        {"type": "creative_acr.load_answer"}, [{"instruction": "Who wrote it?", "revision": "Ada."}]
    ),
    "gpteacher": Case(
        {"type": "gpteacher"}, [{"instruction": "Name the river.", "input": "In Rome.", "response": "The Tiber."}]
    ),
    "jeopardy": Case({"type": "jeopardy"}, [{"question": "It flows.", "category": "Rome", "answer": "the Tiber"}]),
    "oasst": Case({"type": "oasst"}, [{"INSTRUCTION": "Who wrote it?", "RESPONSE": "Ada."}]),
    "summarizetldr": Case({"type": "summarizetldr"}, [{"article": "Ada wrote it.", "summary": "Ada."}]),
    "completion": Case(
        {"type": "completion"}, [{"text": "Ada wrote the first program."}], tokenizers=("begin", "plain")
    ),
    "completion of a field": Case({"type": "completion", "field": "body"}, [{"body": "Ada wrote it."}]),
    "user-defined": Case(
        {
            "type": {
                "system_prompt": "Be {brief}.",
                "system_format": "[SYS] {system}\n",
                "field_instruction": "q",
                "field_input": "hint",
                "field_output": "a",
                "format": "Question: {instruction}\nHint: {input}\nAnswer: ",
                "no_input_format": "Question: {instruction}\nAnswer: ",
            }
        },
        [{"q": "Who?", "hint": "A woman.", "a": "Ada."}, {"q": "Who?", "hint": "", "a": "Ada."}],
    ),
    "user-defined by default": Case({"type": {"field_output": "output"}}, TASKS),
    "user-defined with systems": Case(
        {"type": {"field_system": "system", "system_format": "{system}\n", "format": "{instruction} "
                  , "no_input_format": "{instruction} "}}, WITH_SYSTEM
    ),
    "chat_template": Case({"type": "chat_template"}, TURNS, tokenizers=("begin", "plain")),
    "chat_template on inputs": Case({"type": "chat_template"}, TURNS, {"train_on_inputs": True}),
    "chat_template of all roles": Case({"type": "chat_template", "roles_to_train": ["user", "gpt"]}, TURNS),
    "chat_template without ends": Case({"type": "chat_template", "train_on_eos": "none"}, TURNS),
    "chat_template, last end": Case({"type": "chat_template", "train_on_eos": "last"}, TURNS),
    "chat_template without system": Case({"type": "chat_template", "drop_system_message": True}, TURNS),
    "chat_template with a system column": Case(
        {"type": "chat_template"}, [{"system": "Be brief.", "messages": TURNS[0]["messages"]}]
    ),
    "chat_template of ShareGPT": Case(MAPPED, SHAREGPT),
    "chat_template by older keys": Case(
        {"type": "chat_template", "field_messages": "conversations", "message_field_role": "from",
         "message_field_content": "value"}, SHAREGPT
    ),
    "chat_template with roles": Case(
        {**MAPPED, "roles": {"user": ["human"], "assistant": ["bot"], "system": ["system"]}},
        [{"conversations": [{"from": "human", "value": "Who?"}, {"from": "bot", "value": "Ada."}]}],
    ),
    "chat_template with marks": Case(
        {"type": "chat_template", "message_field_training": "train"},
        [{"messages": [
            {"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Ada.", "train": False},
            {"role": "user", "content": "When?"}, {"role": "assistant", "content": "1843.", "train": True},
        ]}],
    ),
    "chat_template with thoughts": Case(
        {"type": "chat_template", "field_thinking": "thinking", "template_thinking_key": "thinking"},
        [{"messages": [
            {"role": "user", "content": "Who?"}, {"role": "assistant", "thinking": "Hm.", "content": "Ada."},
        ]}],
        {"chat_template": "jinja", "chat_template_jinja": (
            "{% for message in messages %}<|im_start|>{{ message.role }}\n{% if message.thinking %}<think>"
            "{{ message.thinking }}</think>{% endif %}{{ message.content }}<|im_end|>\n{% endfor %}"
        )},
    ),
}  # fmt: skip


def import_entry(entry: dict[str, Any]) -> tuple[DatasetPart | None, RecipeDraft]:
    """The part of a recipe for an entry, and a draft with what was said about its keys."""
    draft = RecipeDraft("axolotl")
    record = Recorder(draft, ImportContext(Path("theirs.yaml"), Path.cwd(), {}))
    return read_entry({"path": "owner/name", **entry}, ("datasets", 0), record, "dataset"), draft


def as_case(case: Case) -> dict[str, Any]:
    """What the script `compare_prompt_types.py` reads."""
    part, draft = import_entry(case.entry)
    assert part is not None, draft.entries
    options = {key: value for key, value in part.formatter.items() if key != "name"}
    formatter = next(
        found.cls for found in plugins().all() if (found.kind, found.name) == ("formatter", part.formatter["name"])
    )
    made = [formatter().format(Row(row, "rows.jsonl", 1), formatter.Options(**options)) for row in case.rows]
    assert not any(isinstance(example, Rejected) for example in made), made
    examples = [json.loads(encode(example, "row")) for example in made]
    trainer = {"sequence_len": 512, "chat_template": "chatml", **case.trainer}
    return {
        "entry": case.entry,
        "rows": case.rows,
        "kind": kind_of(made[0]),
        "examples": [{key: value for key, value in example.items() if key != "place"} for example in examples],
        "trainer": trainer,
        "dataset": part.trainer,
        "tokenizers": case.tokenizers,
    }
