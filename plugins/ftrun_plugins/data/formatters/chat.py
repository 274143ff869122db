"""The formatter `chat`: messages and tools in OpenAI's format. The chat template of the model renders them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ftrun.api.rows import Chat, Column, FormatterOptions, OptionalColumn, Rejected, Row
from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.chat_messages import MessageReader, plain_roles
from ftrun_plugins.data.formatters.chat_tools import assign_ids, check_declared, check_tools, parameters_of
from ftrun_plugins.data.formatters.column_messages import missing_column
from ftrun_plugins.data.formatters.errors import InvalidRowError
from ftrun_plugins.data.formatters.json_text import is_request, parse_list
from ftrun_plugins.data.formatters.row_access import Values, optional_value
from ftrun_plugins.data.formatters.separate_answers import append_answer, open_request
from ftrun_plugins.data.formatters.sharegpt_tools import tools_of
from ftrun_plugins.data.formatters.training_marks import Trained, apply_marks
from ftrun_plugins.data.formatters.turn_order import add_system, check_order


class ChatFormatter:
    """Conversation in OpenAI's format that ends with a message of the assistant."""

    name: ClassVar[str] = "chat"

    class Options(FormatterOptions):
        """Columns of the messages, the tools and the system prompt. Rows may lack the columns of the last two."""

        messages: Column = "messages"
        """Name of the column with the messages, or with an object that holds messages and tools."""
        answer: OptionalColumn = None
        """Name of the column with the last answer, a text or messages, for rows in which the messages lack it."""
        tools: OptionalColumn = "tools"
        """Name of the column with the tools. A row may lack it."""
        functions: OptionalColumn = "functions"
        """Name of the column with the functions of older exports of OpenAI. A row may lack it."""
        system: OptionalColumn = "system"
        """Name of the column with the system prompt. A row may lack it."""
        trained: Trained = "all"
        """Messages of the assistant to train on: `all` but those of weight 0, the `last`, or those `marked` with 1."""
        allow_assistant_first: bool = False
        """Accept conversations in which the assistant speaks before the user."""
        values: Values = "text"
        """`text` accepts strings, numbers and booleans. `json` also accepts objects and lists, and writes them so."""

    def format(self, row: Row, options: Options) -> Chat | Rejected:
        """Return the conversation, with text parts joined and empty keys removed."""
        column, values = options.messages, row.values
        messages = values.get(column)
        if messages is None and column not in values:
            return Rejected(missing_column(column, values), "missing-value")
        try:
            ignored: dict[str, Any] = {}
            request: Mapping[str, Any] = values
            if is_request(messages):
                request, messages = messages, open_request(messages, column, ignored)
            if options.answer:
                messages = append_answer(messages, values, column, options.answer)
            tools = _read_tools(request, options, ignored)
            conversation = _read_conversation(messages, tools, options, ignored)
            if system := optional_value(values, options.system, "system", str):
                conversation = add_system(system, conversation, options.system, column)
            if tools:
                check_declared(conversation, tools, column)
        except InvalidRowError as error:
            return error.to_rejected()
        return Chat(conversation, tools, ignored)


def _read_conversation(
    messages: Any, tools: Sequence[dict[str, Any]], options: ChatFormatter.Options, ignored: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return the checked messages. Add the keys that are left out to `ignored`."""
    column = options.messages
    messages = parse_list(messages, f"`{column}`")
    if type(messages) is not list:
        raise InvalidRowError("wrong-type", f"`{column}` is {type_name(messages)}, not a list of messages")
    if not messages:
        raise InvalidRowError("empty-value", f"`{column}` is empty")
    roles = plain_roles(messages) if options.trained == "all" else None
    if roles:  # most conversations; they need no slower checks
        check_order(messages, column, False, options.allow_assistant_first, roles)
        return messages
    reader = MessageReader(column, parameters_of(tools), options.values, ignored)
    conversation = [reader.read(message, index) for index, message in enumerate(messages)]
    assign_ids(conversation, column)
    check_order(conversation, column, allow_assistant_first=options.allow_assistant_first)
    return apply_marks(conversation, options.trained, column)


def _read_tools(
    values: Mapping[str, Any], options: ChatFormatter.Options, ignored: dict[str, Any]
) -> Sequence[dict[str, Any]]:
    for column in (options.tools, options.functions):
        if column and (value := values.get(column)):
            tools = tools_of(value, column, ignored)
            check_tools(tools, column)
            return tools
    return ()
