"""The formatter `sharegpt`: turns with `from` and `value`, by the roles human and gpt, as a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from ftrun.api.options import ColumnOption
from ftrun.api.rows import Chat, Column, FormatterOptions, OptionalColumn, Rejected, Row
from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.chat_tools import check_declared, check_tools
from ftrun_plugins.data.formatters.column_messages import missing_column
from ftrun_plugins.data.formatters.errors import InvalidRowError
from ftrun_plugins.data.formatters.row_access import optional_value
from ftrun_plugins.data.formatters.sharegpt_tools import calls_of, tools_of
from ftrun_plugins.data.formatters.sharegpt_turns import ROLES, Turns
from ftrun_plugins.data.formatters.turn_order import check_order

TurnKey: TypeAlias = Annotated[str, ColumnOption("key")]


class ShareGpt:
    """A conversation whose last turn is the model's."""

    name: ClassVar[str] = "sharegpt"

    class Options(FormatterOptions):
        """The columns, the keys of a turn, and further names of roles.

        `roles` says which role a name stands for, as in `{bot: assistant}`; `tool_call` is the model calling functions.
        A row may have a system prompt and its tools in columns of their own.
        """

        conversations: Column = "conversations"
        role: TurnKey = "from"
        content: TurnKey = "value"
        roles: dict[str, Literal["system", "user", "assistant", "tool_call", "tool"]] = {}
        system: OptionalColumn = "system"
        tools: OptionalColumn = "tools"

        @cached_property
        def turns(self) -> Turns:
            return Turns(self.conversations, self.role, self.content, {**ROLES, **self.roles}, calls_of)

    def format(self, row: Row, options: Options) -> Chat | Rejected:
        """The conversation in OpenAI's shape; calls and answers of tools get ids in their order."""
        column, values = options.conversations, row.values
        turns = values.get(column)
        if turns is None and column not in values:
            return Rejected(missing_column(column, values), "missing-value")
        try:
            found = _conversation(turns, column, options)
            system = optional_value(values, options.system, "system", str)
            if system and found[0]["role"] == "system":
                raise InvalidRowError("turn-order", f"there are two system prompts: `{options.system}` and {column}[0]")
            tools = _tools(values, options)
            if tools:
                check_declared(found, tools, column)
        except InvalidRowError as invalid:
            return invalid.rejected()
        return Chat([{"role": "system", "content": system}, *found] if system else found, tools)


def _conversation(turns: Any, column: str, options: ShareGpt.Options) -> list[dict[str, Any]]:
    if type(turns) is not list:
        raise InvalidRowError("wrong-type", f"`{column}` is {type_name(turns)}, not a list of turns")
    if not turns:
        raise InvalidRowError("empty-value", f"`{column}` is empty")
    found = options.turns.messages(turns)
    check_order(found, column, has_ids=False)  # the turns saw to the answers already
    return found


def _tools(values: Mapping[str, Any], options: ShareGpt.Options) -> list[dict[str, Any]]:
    if options.tools is None:
        return []
    given = values.get(options.tools)
    if given is None and options.tools != "tools" and options.tools not in values:
        raise InvalidRowError("missing-value", missing_column(options.tools, values))
    if not given:
        return []
    tools = tools_of(given, options.tools)
    check_tools(tools, options.tools)
    return tools
