"""The formatter `auto`: chooses another by the shape of the first rows, and refuses rows of several shapes."""

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
from ftrun_plugins.data.formatters.sharegpt import ShareGpt
from ftrun_plugins.data.formatters.template import Template

CHOICES: Mapping[str, type[Formatter]] = {
    each.name: each for each in (ChatFormatter, ShareGpt, Alpaca, Template, Completion)
}
KNOWN = "messages (role, content), conversations (from, value), instruction and output, prompt and completion, or text"
NAME_IT = "name the formatter: dataset.formatter.name=…"


class Auto:
    """Conversations, instructions, prompts with completions, or texts: whichever the rows are."""

    name: ClassVar[str] = "auto"

    class Options(FormatterOptions):
        """There are none: who has options to set knows the shape."""

    def choose(self, rows: Iterable[Row], options: Options) -> Choice:
        """The formatter for the one shape that the rows have. Raises `InvalidInput` where they have none, or several.

        A row without a shape is passed over where others have one: the formatter that they ask for says what it lacks.
        """
        shapes: dict[Shape, Places] = {}
        seen, unclear, strange = 0, None, None
        for row in rows:
            seen += 1
            shape = shape_of(row.values)
            if isinstance(shape, Shape):
                shapes.setdefault(shape, Places()).add(row)
            elif isinstance(shape, Unclear):
                unclear = unclear or (shape, row)
            else:
                strange = strange or row
        if unclear:
            raise InvalidInput(Problem("mixed-rows", unclear[0].reason, unclear[1].place, hint=NAME_IT))
        if len(shapes) > 1:
            raise InvalidInput(_mixture(shapes))
        if not shapes:
            raise InvalidInput(_unknown(strange))
        ((shape, places),) = shapes.items()
        return _choice(shape, places.count, seen)

    def format(self, row: Row, options: Options) -> Chat | Segments | Text | Rejected:
        """The example by the formatter that this one row asks for."""
        try:
            choice = self.choose([row], options)
        except InvalidInput as refused:
            return Rejected(refused.problems[0].what, refused.problems[0].code)
        made: Any = choice.formatter.format(row, choice.options)
        return made  # type: ignore[no-any-return]


def _choice(shape: Shape, count: int, seen: int) -> Choice:
    formatter = CHOICES[shape.formatter]()
    why = f"{_which(count, seen)} {shape.what}"
    return Choice(formatter, formatter.Options.model_validate(dict(shape.options)), shape.written(), why)


def _which(count: int, seen: int) -> str:
    if seen == 1:
        return "the only row has"
    if count == seen:
        return f"each of the first {seen:,} rows has"
    return f"{count:,} of the first {seen:,} rows {'has' if count == 1 else 'have'}"


def _mixture(shapes: Mapping[Shape, Places]) -> list[Problem]:
    """One problem in all, then one for each shape with the rows that have it, the commonest first."""
    count = sum(places.count for places in shapes.values())
    first = Problem(
        "mixed-rows",
        f"the first {count:,} rows have {len(shapes)} different shapes",
        expected="one shape",
        hint=f"put each into a file of its own, or {NAME_IT}",
    )
    common = sorted(shapes.items(), key=lambda pair: -pair[1].count)
    return [
        first,
        *(
            Problem(
                "mixed-rows", f"{places.count:,} {'has' if places.count == 1 else 'have'} {shape.what}", str(places)
            )
            for shape, places in common
        ),
    ]


def _unknown(row: Row | None) -> Problem:
    if row is None:
        return Problem("no-rows", "there is no row to choose a formatter by")
    what = f"no row has a shape that `auto` knows; the first has {list_names(row.values)}"
    return Problem("unknown-format", what, row.place, expected=KNOWN, hint=NAME_IT)
