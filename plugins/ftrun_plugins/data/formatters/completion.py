"""The formatter `completion`: one field of the row is the whole text, and all of it is trained on."""

from __future__ import annotations

from typing import ClassVar

from ftrun.api.rows import Column, FormatterOptions, Rejected, Row, Text
from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.column_messages import missing_column


class Completion:
    """Plain text in, plain text out: for continued pre-training and texts that hold their own markers."""

    name: ClassVar[str] = "completion"

    class Options(FormatterOptions):
        """The column that holds the text."""

        field: Column = "text"

    def format(self, row: Row, options: Options) -> Text | Rejected:
        """The text of the row."""
        if options.field not in row.values:
            return Rejected(missing_column(options.field, row.values), "missing-value")
        text = row.values[options.field]
        if not isinstance(text, str):
            return Rejected(f"`{options.field}` is {type_name(text)}, not a text", "wrong-type")
        if not text or text.isspace():
            return Rejected(f"`{options.field}` is empty: there is nothing to learn", "empty-value")
        return Text(text)
