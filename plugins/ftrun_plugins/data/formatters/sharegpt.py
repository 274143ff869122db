"""The formatter `sharegpt`: converts turns with `from` and `value`, of roles such as human and gpt, into a chat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from ftrun.api.options import ColumnOption
from ftrun.api.rows import Chat, Column, FormatterOptions, OptionalColumn, Rejected, Row
from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.chat_tools import check_declared, check_tools
from ftrun_plugins.data.formatters.column_messages import missing_column
from ftrun_plugins.data.formatters.errors import InvalidRowError
from ftrun_plugins.data.formatters.json_text import parse_list
from ftrun_plugins.data.formatters.row_access import optional_value
from ftrun_plugins.data.formatters.sharegpt_tools import calls_of, tools_of
from ftrun_plugins.data.formatters.sharegpt_turns import ROLES, Turns
from ftrun_plugins.data.formatters.training_marks import Trained, apply_marks
from ftrun_plugins.data.formatters.turn_order import add_system, check_order

TurnKey: TypeAlias = Annotated[str, ColumnOption("key")]


class ShareGpt:
    """Conversation in ShareGPT's format that ends with a turn of the model."""

    name: ClassVar[str] = "sharegpt"

    class Options(FormatterOptions):
        """Columns, keys of a turn, and further names of roles.

        `roles` maps names to roles, as in `{bot: assistant}`. `tool_call` is a turn in which the model calls functions.
        A row may have its system prompt and its tools in separate columns.
        """

        conversations: Column = "conversations"
        """Name of the column with the list of turns."""
        role: TurnKey = "from"
        """Key of a turn with the name of its role."""
        content: TurnKey = "value"
        """Key of a turn with its text."""
        roles: dict[str, Literal["system", "user", "assistant", "tool_call", "tool"]] = {}
        """Roles of further names, such as `{bot: assistant}`. In a `tool_call` turn the model calls functions."""
        system: OptionalColumn = "system"
        """Name of the column with the system prompt. A row may lack it."""
        tools: OptionalColumn = "tools"
        """Name of the column with the tools. A row may lack it."""
        trained: Trained = "all"
        """Turns of the model to train on: `all` but those of weight 0, the `last` one, or those `marked` with 1."""
        allow_assistant_first: bool = False
        """Accept conversations in which the model speaks before the user."""

        @cached_property
        def turns(self) -> Turns:
            return Turns(self.conversations, self.role, self.content, {**ROLES, **self.roles}, calls_of)

    def format(self, row: Row, options: Options) -> Chat | Rejected:
        """Return the conversation in OpenAI's format. Tool calls and their answers get ids in their order."""
        column, values = options.conversations, row.values
        turns = values.get(column)
        if turns is None and column not in values:
            return Rejected(missing_column(column, values), "missing-value")
        try:
            messages, ignored = _convert_turns(turns, column, options)
            system = optional_value(values, options.system, "system", str)
            if system:
                messages = add_system(system, messages, options.system, column)
            tools = _read_tools(values, options, ignored)
            if tools:
                check_declared(messages, tools, column)
        except InvalidRowError as error:
            return error.to_rejected()
        return Chat(messages, tools, ignored)


def _convert_turns(turns: Any, column: str, options: ShareGpt.Options) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the messages, and the keys of turns that were left out."""
    turns = parse_list(turns, f"`{column}`")
    if type(turns) is not list:
        raise InvalidRowError("wrong-type", f"`{column}` is {type_name(turns)}, not a list of turns")
    if not turns:
        raise InvalidRowError("empty-value", f"`{column}` is empty")
    messages, ignored = options.turns.messages(turns)
    # `Turns` has matched answers to calls
    check_order(messages, column, has_ids=False, allow_assistant_first=options.allow_assistant_first)
    return apply_marks(messages, options.trained, column), ignored


def _read_tools(
    values: Mapping[str, Any], options: ShareGpt.Options, ignored: dict[str, Any]
) -> Sequence[dict[str, Any]]:
    if options.tools is None:
        return ()
    value = values.get(options.tools)
    if value is None and options.tools != "tools" and options.tools not in values:
        raise InvalidRowError("missing-value", missing_column(options.tools, values))
    if not value:
        return ()
    tools = tools_of(value, options.tools, ignored)
    check_tools(tools, options.tools)
    return tools
