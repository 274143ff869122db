"""The formatter `segments`: texts, each of which is trained or not, without a chat template."""

from __future__ import annotations

from typing import Any, ClassVar

from ftrun.api.rows import Column, FormatterOptions, Rejected, Row, Segments
from ftrun.utils.excerpt import type_name
from ftrun_plugins.data.formatters.column_messages import list_names, missing_column
from ftrun_plugins.data.formatters.errors import InvalidRowError
from ftrun_plugins.data.formatters.json_text import parse_list


class SegmentsFormatter:
    """Texts with marks, in the format that axolotl calls `input_output`."""

    name: ClassVar[str] = "segments"

    class Options(FormatterOptions):
        """Column of the texts with their marks."""

        segments: Column = "segments"
        """Name of the column with a list of `{"text": …, "label": …}`. A text with the label true is trained."""

    def format(self, row: Row, options: Options) -> Segments | Rejected:
        """Return the texts in their order."""
        column, values = options.segments, row.values
        if column not in values:
            return Rejected(missing_column(column, values), "missing-value")
        try:
            segments = parse_list(values[column], f"`{column}`")
            if type(segments) is not list:
                raise InvalidRowError("wrong-type", f"`{column}` is {type_name(segments)}, not a list of texts")
            pairs = [_read_segment(segment, f"{column}[{index}]") for index, segment in enumerate(segments)]
        except InvalidRowError as error:
            return error.to_rejected()
        if not any(trained and text and not text.isspace() for text, trained in pairs):
            return Rejected(f"`{column}` has no text that is trained", "empty-value")
        return Segments(tuple(pairs))


def _read_segment(segment: Any, path: str) -> tuple[str, bool]:
    if type(segment) is not dict:
        raise InvalidRowError("wrong-type", f"{path} is {type_name(segment)}, not an object with text and label")
    if segment.keys() != {"text", "label"}:
        raise InvalidRowError("missing-value", f"{path} has {list_names(segment)}, not `text` and `label`")
    text, label = segment["text"], segment["label"]
    if type(text) is not str:
        raise InvalidRowError("wrong-type", f"{path}.text is {type_name(text)}, not a string")
    if type(label) is not bool:
        raise InvalidRowError("wrong-type", f"{path}.label is {type_name(label)}, not a boolean")
    return text, label
