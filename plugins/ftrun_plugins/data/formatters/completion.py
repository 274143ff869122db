"""The formatter `completion`: one column of the row is the text, and all of it is trained on."""

from __future__ import annotations

from typing import ClassVar

from ftrun.api.rows import Column, FormatterOptions, Rejected, Row, Text
from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.column_messages import missing_column


class Completion:
    """Plain text, for continued pre-training and for texts with their own markers."""

    name: ClassVar[str] = "completion"

    class Options(FormatterOptions):
        """Column of the text."""

        field: Column = "text"
        """Name of the column with the text."""

    def format(self, row: Row, options: Options) -> Text | Rejected:
        """Return the text of the row."""
        if options.field not in row.values:
            return Rejected(missing_column(options.field, row.values), "missing-value")
        text = row.values[options.field]
        if not isinstance(text, str):
            return Rejected(f"`{options.field}` is {type_name(text)}, not a string", "wrong-type")
        if not text or text.isspace():
            return Rejected(f"`{options.field}` is empty", "empty-value")
        return Text(text)
