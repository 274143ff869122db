"""Prompt types of axolotl's datasets that make one prompt and one answer of a row, as formatters of ftrun.

The texts of the prompts are those of axolotl 0.21, to the character: a test compares the tokens and labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ftrun_plugins.data.formatters.alpaca import PREFACE, PREFACE_WITH_INPUT

Formatter = dict[str, Any]

TASK, REST = PREFACE.split(".", 1)
PAIRED = PREFACE_WITH_INPUT.removeprefix(TASK).removesuffix(REST).removesuffix(".")
FROM_USER = "Below is an instruction from a USER that describes a task"
CHAT_TASK = f"{FROM_USER}. The ASSISTANT writes a response that appropriately and concisely completes the request.\n\n"
CONCISE_TASK = (
    f"{{#input}}{FROM_USER}, paired with an input that provides further context. "
    "The ASSISTANT writes a response that concisely and appropriately completes the request.\n\n{/input}"
    f"{{^input}}{CHAT_TASK}{{/input}}"
)
CONTEXT_TASK = "Use the following contextual information to concisely answer the question.\n"
CREATIVE_TASK = (
    "Answer the following question in a comprehensive, in-depth, and creative way. "
    "Additionally your response should be relevant, accurate, and free of any ambiguity."
)


def alpaca_preface(input_column: str | None) -> str:
    """Return the first sentences of an Alpaca prompt, which depend on whether the row has an input."""
    return f"{TASK}{_section(input_column, PAIRED)}.{REST}"


def _section(column: str | None, text: str) -> str:
    return f"{{#{column}}}{text}{{/{column}}}" if column else ""


def instruct(system: str, instruction: str, column: str | None) -> str:
    start = f"{system}\n\n" if system else ""
    given = _section(column, f"### Input:\n{{{column}}}\n\n")
    return f"{start}### Instruction:\n{{{instruction}}}\n\n{given}### Response:\n"


def chat(system: str, instruction: str, column: str | None) -> str:
    start = f"SYSTEM: {system}\n" if system else ""
    return f"{start}USER: {{{instruction}}}\n{_section(column, f'{{{column}}}' + chr(10))}ASSISTANT:"


def chatml(system: str, instruction: str, column: str | None) -> str:
    start = f"<|im_start|>system\n{system}<|im_end|>\n" if system else ""
    given = _section(column, f"\n{{{column}}}")
    return f"{start}<|im_start|>user\n{{{instruction}}}{given}<|im_end|>\n<|im_start|>assistant\n"


def phi(system: str, instruction: str, column: str | None) -> str:
    start = f"<|system|>\n{system}<|end|>\n" if system else ""
    short = "\n<|assistant|>\n"
    end = f"{{#{column}}}{{{column}}}<|assistant|>{{/{column}}}{{^{column}}}{short}{{/{column}}}" if column else short
    return f"{start}<|user|>\n{{{instruction}}}<|end|>{end}"


Style = Callable[[str, str, str | None], str]
STYLES: Mapping[str, Style] = {"instruct": instruct, "chat": chat, "chatml": chatml, "phi": phi}


def _template(prompt: str, answer: str = "{output}") -> Formatter:
    return {"name": "template", "prompt": prompt, "answer": answer}


def _with_system(column: str, text: str, rest: str) -> str:
    """Return a prompt that begins with the system prompt of the row, if it has one."""
    return _section(column, text) + rest


ALPACA: Formatter = {"name": "alpaca", "style": "text", "system": None, "history": None}
WITHOUT_STYLES: Mapping[str, Formatter] = {
    "alpaca_instruct": ALPACA,
    "alpaca_instruct.load_no_prompt": _template(instruct("", "instruction", "input")),
    "alpaca_chat.load_no_prompt": _template(chat("", "instruction", "input")),
    "alpaca_chat.load_concise": _template(chat(CONCISE_TASK, "instruction", "input")),
    "alpaca_chat.load_qa": _template(chat(CHAT_TASK, "question", None), "{answer}"),
    "alpaca_chat.load_camel_ai": _template(chat(CHAT_TASK, "message_1", None), "{message_2}"),
    "alpaca_w_system": _template(
        _with_system("system", "SYSTEM: {system}\n", chat("", "instruction", "input"))
    ),
    "alpaca_w_system.load_chat": _template(
        _with_system("system", "SYSTEM: {system}\n", chat("", "instruction", "input"))
    ),
    "alpaca_w_system.load_instruct": _template(
        _with_system("system", "{system}\n\n", instruct("", "instruction", "input"))
    ),
    "alpaca_w_system.load_open_orca": _template(
        _with_system(
            "system_prompt", "### System:\n{system_prompt}\n", "### Human:\n{question}\n### Assistant:\n"
        ),
        "{response}",
    ),
    "alpaca_w_system.load_open_orca_chatml": _template(
        _with_system(
            "system_prompt", "<|im_start|>system\n{system_prompt}<|im_end|>\n", chatml("", "question", None)
        ),
        "{response}",
    ),
    "orcamini": _template(
        "### System:\n{system_prompt}\n\n### User:\n{question}\n\n### Response:\n", "{response}"
    ),
    "context_qa": _template(f"SYSTEM: {CONTEXT_TASK}\nUSER: {{article}}\n===\n{{question}}\nASSISTANT:", "{answer}"),
    "context_qa.load_v2": _template("Context: {context}\nQuestion: {question}\n", "Answer: {answer}"),
    "creative_acr.load_answer": _template(f"{CREATIVE_TASK}\nUSER: {{instruction}}\nASSISTANT:", "{revision}"),
    "summarizetldr": _template(
        "USER: Summarize the following article as a TL;DR.\n{article}\nASSISTANT:", "{summary}"
    ),
}  # fmt: skip
# Types with a style, as in `alpaca:chat`: the columns of instruction and input, and the answer.
WITH_STYLES: Mapping[str, tuple[str, str | None, str]] = {
    "alpaca": ("instruction", "input", "{output}"),
    "alpaca_chat": ("instruction", "input", "{output}"),
    "gpteacher": ("instruction", "input", "{response}"),
    "jeopardy": ("question", "category", "what is {answer}"),
    "oasst": ("INSTRUCTION", None, "{RESPONSE}"),
}
# Types that axolotl has and ftrun's formatters cannot write, with the reason.
WITHOUT_FORMATTER: Mapping[str, str] = {
    "context_qa.load_404": "its answer is the same in all rows",
    "creative_acr.load_critique": "it writes columns as YAML into the answer",
    "creative_acr.load_revise": "it writes columns as YAML into the prompt",
    "explainchoice": "it joins a list of choices",
    "concisechoice": "it joins a list of choices",
    "reflection": "it tokenizes the prompt together with the answer",
    "metharme": "it ends an answer with three end tokens",
    "pygmalion": "it builds the turns of a conversation itself, without a chat template",
    "llama2_chat": "it builds the turns of a conversation itself, without a chat template",
}


def find_formatter(kind: str, conversation: str | None = None) -> Formatter | None:
    """Return the formatter of a prompt type, or None if there is none.

    Args:
        kind: The type, such as `alpaca`, `alpaca:chat` or `alpaca_chat.load_qa`.
        conversation: The key `conversation` of the dataset, the style of the type `alpaca_chat`.
    """
    kind = kind.removesuffix(".load")
    if kind in WITHOUT_STYLES:
        return WITHOUT_STYLES[kind]
    name, colon, style = kind.partition(":")
    if name not in WITH_STYLES or (name == "alpaca_chat" and colon):
        return None
    style = (conversation or "chat") if name == "alpaca_chat" else style or "instruct"
    if (name, style) == ("alpaca", "instruct"):
        return ALPACA
    if style not in STYLES:
        return None
    instruction, column, answer = WITH_STYLES[name]
    return _template(STYLES[style](alpaca_preface(column), instruction, column), answer)


def find_limitation(kind: str) -> str | None:
    """Return the reason why there is no formatter for a type that axolotl has."""
    name = kind.removesuffix(".load")
    return WITHOUT_FORMATTER.get(name) or WITHOUT_FORMATTER.get(name.partition(":")[0])
