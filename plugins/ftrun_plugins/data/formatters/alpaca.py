"""The formatter `alpaca`: an instruction, perhaps with an input, and the output, as a conversation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ftrun.api.rows import Chat, Column, FormatterOptions, OptionalColumn, Rejected, Row
from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.errors import InvalidRowError
from ftrun_plugins.data.formatters.row_access import optional_value, require_text

Message = dict[str, Any]


class Alpaca:
    """The user gives an instruction, and the input on a line of its own; the assistant answers with the output."""

    name: ClassVar[str] = "alpaca"

    class Options(FormatterOptions):
        """Columns. A row may lack `input`, `system` and `history` unless the recipe names other columns for them.

        An optional column that is null is ignored, whatever the rows have.
        """

        instruction: Column = "instruction"
        input: OptionalColumn = "input"
        output: Column = "output"
        system: OptionalColumn = "system"
        history: OptionalColumn = "history"  # earlier turns: a list of pairs, the user's text and the answer

    def format(self, row: Row, options: Options) -> Chat | Rejected:
        """The conversation: a system prompt and earlier turns where the row has them, then instruction and output."""
        values = row.values
        try:
            given = optional_value(values, options.input, "input", str)
            system = optional_value(values, options.system, "system", str)
            history = optional_value(values, options.history, "history", list)
            question = require_text(values, options.instruction)
            answer = require_text(values, options.output)
            earlier = list(_earlier(history, options.history)) if history else []
        except InvalidRowError as invalid:
            return invalid.rejected()
        if given and not given.isspace():
            question = f"{question}\n{given}"
        first = [{"role": "system", "content": system}] if system else []
        return Chat([*first, *earlier, {"role": "user", "content": question}, {"role": "assistant", "content": answer}])


def _earlier(history: list[Any], column: str | None) -> Iterator[Message]:
    for index, pair in enumerate(history):
        where = f"{column}[{index}]"
        if type(pair) is not list or len(pair) != 2:
            what = f"a list of {len(pair)}" if type(pair) is list else type_name(pair)
            raise InvalidRowError("wrong-type", f"{where} is {what}, not a pair of what the user said and the answer")
        turns: Mapping[int, str] = {0: "user", 1: "assistant"}
        for place, role in turns.items():
            if type(pair[place]) is not str:
                raise InvalidRowError("wrong-type", f"{where}[{place}] is {type_name(pair[place])}, not a text")
            if role == "assistant" and (not pair[place] or pair[place].isspace()):
                raise InvalidRowError("empty-value", f"{where}[{place}]: the assistant says nothing")
            yield {"role": role, "content": pair[place]}
