"""The formatter `completion`: one column of the row is the text, and all of it is trained on."""

from __future__ import annotations

from typing import ClassVar

from ftrun.api.rows import Column, FormatterOptions, Rejected, Row, Text
from ftrun_plugins.data.formatters.errors import InvalidRowError
from ftrun_plugins.data.formatters.row_access import Values, require_text


class Completion:
    """Plain text, for continued pre-training and for texts with their own markers."""

    name: ClassVar[str] = "completion"

    class Options(FormatterOptions):
        """Column of the text."""

        field: Column = "text"
        """Name of the column with the text."""
        values: Values = "text"
        """`text` accepts strings, numbers and booleans. `json` also accepts objects and lists, and writes them so."""

    def format(self, row: Row, options: Options) -> Text | Rejected:
        """Return the text of the row."""
        try:
            return Text(require_text(row.values, options.field, options.values))
        except InvalidRowError as error:
            return error.to_rejected()
