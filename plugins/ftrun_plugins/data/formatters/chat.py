"""The formatter `chat`: messages and tools in OpenAI's format. The chat template of the model renders them."""

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
    """Conversation in OpenAI's format that ends with a message of the assistant."""

    name: ClassVar[str] = "chat"

    class Options(FormatterOptions):
        """Columns of the messages and of the tools. Rows may lack the column of the tools."""

        messages: Column = "messages"
        """Name of the column with the messages."""
        tools: OptionalColumn = "tools"
        """Name of the column with the tools. A row may lack it."""

    def format(self, row: Row, options: Options) -> Chat | Rejected:
        """Return the conversation, with text parts joined and empty keys removed."""
        messages = row.values.get(options.messages)
        if messages is None and options.messages not in row.values:
            return Rejected(missing_column(options.messages, row.values), "missing-value")
        try:
            conversation = _check_conversation(messages, options.messages)
            tools = row.values.get(options.tools) if options.tools else None
            if tools and options.tools:
                check_tools(tools, options.tools)
                check_declared(conversation, tools, options.messages)
        except InvalidRowError as error:
            return error.to_rejected()
        return Chat(conversation, tools or ())


def _check_conversation(messages: Any, column: str) -> list[dict[str, Any]]:
    if type(messages) is not list:
        raise InvalidRowError("wrong-type", f"`{column}` is {type_name(messages)}, not a list of messages")
    if not messages:
        raise InvalidRowError("empty-value", f"`{column}` is empty")
    conversation = [check_message(message, index, column) for index, message in enumerate(messages)]
    check_order(conversation, column)
    return conversation
