"""The formatter `auto`: chooses another formatter by the shape of the first rows. Rejects rows of several shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.formatters import Choice, Formatter
from ftrun.api.rows import Chat, FormatterOptions, Rejected, Row, Segments, Text
from ftrun_plugins.data.formatters.alpaca import Alpaca
from ftrun_plugins.data.formatters.chat import ChatFormatter
from ftrun_plugins.data.formatters.column_messages import list_names
from ftrun_plugins.data.formatters.completion import Completion
from ftrun_plugins.data.formatters.detection import Shape, Unclear, shape_of
from ftrun_plugins.data.formatters.line_ranges import Places
from ftrun_plugins.data.formatters.preferences import suggest_good_answers
from ftrun_plugins.data.formatters.segments import SegmentsFormatter
from ftrun_plugins.data.formatters.sharegpt import ShareGpt
from ftrun_plugins.data.formatters.template import Template

CHOICES: Mapping[str, type[Formatter]] = {
    cls.name: cls for cls in (ChatFormatter, ShareGpt, Alpaca, Template, SegmentsFormatter, Completion)
}
KNOWN = (
    "messages (role, content), conversations (from, value), instruction and output, prompt and completion, segments, "
    "or text"
)
NAME_IT = "name the formatter: dataset.formatter.name=…"


class Auto:
    """Choice of another formatter by the rows: conversations, instructions, prompts with completions, or texts."""

    name: ClassVar[str] = "auto"

    class Options(FormatterOptions):
        """No options. To set options, name the formatter that fits the rows."""

    def choose(self, rows: Iterable[Row], options: Options) -> Choice:
        """Return the formatter for the shape of the rows.

        Rows without a known shape are ignored if other rows have one. The chosen formatter rejects them later.

        Raises:
            InvalidInput: If no row has a known shape, or if the rows have several shapes.
        """
        shapes: dict[Shape, Places] = {}
        total, ambiguous, unknown = 0, None, None
        for row in rows:
            total += 1
            shape = shape_of(row.values)
            if isinstance(shape, Shape):
                shapes.setdefault(shape, Places()).add(row)
            elif isinstance(shape, Unclear):
                ambiguous = ambiguous or (shape, row)
            else:
                unknown = unknown or row
        if ambiguous:
            reason, row = ambiguous[0].reason, ambiguous[1]
            hint = suggest_good_answers(row.values) or NAME_IT
            raise InvalidInput(Problem("mixed-rows", reason, row.place, hint=hint))
        if len(shapes) > 1:
            raise InvalidInput(_list_shapes(shapes))
        if not shapes:
            raise InvalidInput(_report_unknown(unknown))
        ((shape, places),) = shapes.items()
        return _make_choice(shape, places.count, total)

    def format(self, row: Row, options: Options) -> Chat | Segments | Text | Rejected:
        """Return the example from the formatter that fits this row alone."""
        try:
            choice = self.choose([row], options)
        except InvalidInput as error:
            return Rejected(error.problems[0].what, error.problems[0].code)
        example: Any = choice.formatter.format(row, choice.options)
        return example  # type: ignore[no-any-return]


def _make_choice(shape: Shape, count: int, total: int) -> Choice:
    formatter = CHOICES[shape.formatter]()
    why = f"{_describe_count(count, total)} {shape.what}"
    return Choice(formatter, formatter.Options.model_validate(dict(shape.options)), shape.describe(), why)


def _describe_count(count: int, total: int) -> str:
    if total == 1:
        return "the only row has"
    if count == total:
        return f"each of the first {total:,} rows has"
    return f"{count:,} of the first {total:,} rows {'has' if count == 1 else 'have'}"


def _list_shapes(shapes: Mapping[Shape, Places]) -> list[Problem]:
    """Return a summary, then one problem for each shape with the places of its rows, the most frequent shape first."""
    count = sum(places.count for places in shapes.values())
    first = Problem(
        "mixed-rows",
        f"the first {count:,} rows have {len(shapes)} different shapes",
        expected="one shape",
        hint=f"put the rows of each shape into a separate file, or {NAME_IT}",
    )
    by_frequency = sorted(shapes.items(), key=lambda pair: -pair[1].count)
    return [
        first,
        *(
            Problem(
                "mixed-rows",
                f"{places.count:,} {'row has' if places.count == 1 else 'rows have'} {shape.what}",
                str(places),
            )
            for shape, places in by_frequency
        ),
    ]


def _report_unknown(row: Row | None) -> Problem:
    if row is None:
        return Problem("no-rows", "there are no rows, so `auto` cannot choose a formatter")
    what = f"no row has a shape that `auto` knows; the first has {list_names(row.values)}"
    nested = [name for name, value in row.values.items() if type(value) is dict and isinstance(shape_of(value), Shape)]
    hint = suggest_good_answers(row.values)
    if hint is None and nested:
        hint = f"the rows are in the column `{nested[0]}`: set dataset.row_key={nested[0]}"
    return Problem("unknown-format", what, row.place, expected=KNOWN, hint=hint or NAME_IT)
