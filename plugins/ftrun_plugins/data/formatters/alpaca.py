"""The formatter `alpaca`: converts an instruction, an optional input and an output into a chat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from ftrun.api.rows import Chat, Column, FormatterOptions, OptionalColumn, Rejected, Row, Segments
from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.errors import InvalidRowError
from ftrun_plugins.data.formatters.row_access import Values, optional_value, require_text
from ftrun_plugins.data.formatters.template_syntax import fill

Message = dict[str, Any]
PREFACE = "Below is an instruction that describes a task. Write a response that appropriately completes the request."
PREFACE_WITH_INPUT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request."
)
PROMPT = "{system}\n\n### Instruction:\n{instruction}\n\n{#input}### Input:\n{input}\n\n{/input}### Response:\n"


class Alpaca:
    """Chat of an instruction, with an optional input on the next line, and the output as the answer."""

    name: ClassVar[str] = "alpaca"

    class Options(FormatterOptions):
        """Columns. A row may lack `input`, `system` and `history` unless the recipe names other columns for them.

        If the option of such a column is null, the column is ignored.
        """

        instruction: Column = "instruction"
        """Name of the column with the instruction."""
        input: OptionalColumn = "input"
        """Name of the column with the input, which follows the instruction. A row may lack it."""
        output: Column = "output"
        """Name of the column with the answer."""
        system: OptionalColumn = "system"
        """Name of the column with the system prompt. A row may lack it."""
        history: OptionalColumn = "history"
        """Name of the column with earlier turns: a list of pairs of user text and answer. A row may lack it."""
        values: Values = "text"
        """`text` accepts strings, numbers and booleans. `json` also accepts objects and lists, and writes them so."""

        style: Literal["chat", "text"] = "chat"
        """`chat` makes messages for the chat template. `text` writes the prompt of Stanford Alpaca without template."""

    def format(self, row: Row, options: Options) -> Chat | Segments | Rejected:
        """Return the chat: system prompt and earlier turns if the row has them, then instruction and output."""
        values = row.values
        try:
            row_input = optional_value(values, options.input, "input", str)
            system = optional_value(values, options.system, "system", str)
            history = optional_value(values, options.history, "history", list)
            question = require_text(values, options.instruction, options.values)
            answer = require_text(values, options.output, options.values)
            history_turns = list(_parse_history(history, options.history)) if history else []
        except InvalidRowError as error:
            return error.to_rejected()
        if options.style == "text":
            if history_turns:
                return Rejected(f"`{options.history}` has turns, which `style: text` cannot write", "turn-order")
            preface = system or (PREFACE_WITH_INPUT if row_input else PREFACE)
            prompt = fill(PROMPT, {"instruction": question, "input": row_input, "system": preface})
            return Segments(((prompt, False), (answer, True)))
        if row_input and not row_input.isspace():
            question = f"{question}\n{row_input}"
        first = [{"role": "system", "content": system}] if system else []
        return Chat(
            [*first, *history_turns, {"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        )


def _parse_history(history: list[Any], column: str | None) -> Iterator[Message]:
    for index, pair in enumerate(history):
        path = f"{column}[{index}]"
        if type(pair) is not list or len(pair) != 2:
            what = f"a list of {len(pair)}" if type(pair) is list else type_name(pair)
            raise InvalidRowError("wrong-type", f"{path} is {what}, not a pair of a question and its answer")
        turns: Mapping[int, str] = {0: "user", 1: "assistant"}
        for position, role in turns.items():
            if type(pair[position]) is not str:
                raise InvalidRowError("wrong-type", f"{path}[{position}] is {type_name(pair[position])}, not a string")
            if role == "assistant" and (not pair[position] or pair[position].isspace()):
                raise InvalidRowError("empty-value", f"{path}[{position}]: the answer of the assistant is empty")
            yield {"role": role, "content": pair[position]}
