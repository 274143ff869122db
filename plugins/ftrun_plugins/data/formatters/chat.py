"""The formatter `chat`: messages in OpenAI's shape, with tools; the model's own chat template renders them."""

from __future__ import annotations

from typing import Any, ClassVar

from ftrun.api.rows import Chat, Column, FormatterOptions, OptionalColumn, Rejected, Row
from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.chat_messages import check_message
from ftrun_plugins.data.formatters.chat_tools import check_declared, check_tools
from ftrun_plugins.data.formatters.column_messages import missing_column
from ftrun_plugins.data.formatters.errors import InvalidRowError
from ftrun_plugins.data.formatters.turn_order import check_order


class ChatFormatter:
    """A conversation whose last turn is the assistant's."""

    name: ClassVar[str] = "chat"

    class Options(FormatterOptions):
        """The columns that hold the messages and, where a row has them, the tools."""

        messages: Column = "messages"
        tools: OptionalColumn = "tools"

    def format(self, row: Row, options: Options) -> Chat | Rejected:
        """The conversation, with parts of text joined and empty keys left out."""
        messages = row.values.get(options.messages)
        if messages is None and options.messages not in row.values:
            return Rejected(missing_column(options.messages, row.values), "missing-value")
        try:
            found = _conversation(messages, options.messages)
            tools = row.values.get(options.tools) if options.tools else None
            if tools and options.tools:
                check_tools(tools, options.tools)
                check_declared(found, tools, options.messages)
        except InvalidRowError as invalid:
            return invalid.rejected()
        return Chat(found, tools or ())


def _conversation(messages: Any, column: str) -> list[dict[str, Any]]:
    if type(messages) is not list:
        raise InvalidRowError("wrong-type", f"`{column}` is {type_name(messages)}, not a list of messages")
    if not messages:
        raise InvalidRowError("empty-value", f"`{column}` is empty")
    found = [check_message(message, index, column) for index, message in enumerate(messages)]
    check_order(found, column)
    return found
