"""Writer of the artifact: takes rows through formatter, checks and split, and checks the totals at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Self

from ftrun.api.artifacts import SPLITS, FormattedRows, Split
from ftrun.api.context import StageContext, Stopped
from ftrun.api.errors import MOST_PROBLEMS, InvalidInput, Problem
from ftrun.api.rows import Rejected, Row
from ftrun.api.sources import BadRow
from ftrun.utils.atomic_io import write_json
from ftrun_plugins.data.format.example_json import encode, encode_row, kind_of
from ftrun_plugins.data.format.interleave import Mix
from ftrun_plugins.data.format.overlap import find_overlaps
from ftrun_plugins.data.format.params import Params
from ftrun_plugins.data.format.rejected_rows import RejectedRows, error_text, row_excerpt
from ftrun_plugins.data.format.row_timeout import RowTimeout, Watch
from ftrun_plugins.data.format.stream import SourceReader

ROWS_BETWEEN_CHECKS = 2000  # for cancellation and progress
MOST_FILTERS = 20  # in the metrics of a run
SHARED_QUESTION = "if all rows ask the same, divide them with dataset.split.group=example"


class ExampleWriter:
    """Output of one call, as a context manager that closes the files."""

    def __init__(self, params: Params, context: StageContext) -> None:
        self._params = params
        self._context = context
        self._kind: tuple[str, str] | None = None  # kind and place of the first example
        self._row_count = self._train = self._validation = self._held_out = 0
        self._sources: list[dict[str, Any]] = []
        self._watch = Watch()
        self._removed: Counter[str] = Counter()  # by filter
        self._mix: dict[str, Any] = {}
        self._streams: Sequence[SourceReader] = ()
        self._notes: list[str] = []
        self._overlap: dict[str, Any] = {}  # for the report

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            output = self._context.output
            self._train_file, self._validation_file, self._held_out_file, self._held_out_rows = (
                stack.enter_context((output / name).open("wb", buffering=1 << 20))
                for name in (*map(FormattedRows.file_name, SPLITS), FormattedRows.HELD_OUT_SOURCE_ROWS)
            )
            self._rejections = stack.enter_context(RejectedRows(output / FormattedRows.REJECTED))
            stack.enter_context(self._watch)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        self._stack.close()
        if kind is Stopped:  # a preview stops after the first rows
            self._note_unread_columns()

    def choose_formatters(self, streams: Sequence[SourceReader]) -> None:
        """Let formatters such as `auto` choose another formatter, and report their choices."""
        self._streams = streams
        for note in dict.fromkeys(note for stream in streams if (note := stream.choose())):
            self._note(note)

    def write_rows(self, streams: Sequence[SourceReader], limit: int | None) -> None:
        """Write the examples of several interleaved streams, up to `limit` rows.

        All rows of streams with the role `held_out` are held out.
        """
        mix = Mix(streams, self._params.stopping_strategy or "first_exhausted")
        for number, row in mix:
            if self._row_count % ROWS_BETWEEN_CHECKS == 0:
                if self._row_count == ROWS_BETWEEN_CHECKS:
                    self._check_columns()
                self._context.check_stop()
                self._context.report.progress(self._row_count, None, "rows")
            self._row_count += 1
            stream = streams[number]
            stream.rows += 1
            if isinstance(row, BadRow):
                stream.rejected += 1
                self._rejections.add(
                    f"{row.file}:{row.line}", row.code, row.reason, row.raw, stream.at_source(row.hint)
                )
                continue
            self._write_row(row, stream)
            if limit is not None and (limit := limit - 1) == 0:
                break
        for stream, passes in zip(streams, mix.passes, strict=True):
            self._sources.append(stream.report(passes))
            self._removed.update(stream.row_filter.counts())
        if mix.ended_by is not None:
            self._mix = {"mix_ended_by": streams[mix.ended_by].reading.part}

    def _write_row(self, row: Row, stream: SourceReader) -> None:
        place = row.place
        seen = stream.columns.view(row)
        example = self._format(seen, stream, place)
        if isinstance(example, Rejected):
            return self._reject(row, stream, example)
        try:
            line = encode(example, place)
        except ValueError as error:
            return self._reject(row, stream, Rejected(str(error), "invalid-example"))
        try:
            side = "held_out" if stream.reading.role == "held_out" else stream.splitter.side(row, example)
            raw = encode_row(row) if side == "held_out" else b""
        except ValueError as error:
            return self._reject(row, stream, Rejected(str(error)))
        self._check_kind(kind_of(example), place)
        if not stream.repeats:
            stream.columns.add(seen, example)
        return self._write_line(stream, line, raw, side)

    def _format(self, row: Row, stream: SourceReader, place: str) -> object:
        """Return the example of a row.

        An exception of the formatter rejects the row, so that the user sees the place of the row.
        """
        self._watch.row = row
        try:
            return stream.formatter.format(row, stream.options)
        except RowTimeout:
            name, seconds = stream.formatter.name, self._watch.longest
            what = f"the formatter `{name}` did not return from this row within {seconds:g} s"
            raise InvalidInput(
                Problem("formatter-timeout", what, place, hint="fix the formatter; a row should take microseconds")
            ) from None
        except (Exception, SystemExit, GeneratorExit) as error:
            return Rejected(f"the formatter raised {error_text(error)}", "formatter-error")
        finally:
            self._watch.row = None

    def _write_line(self, stream: SourceReader, line: bytes, raw: bytes, side: Split) -> None:
        if side != "train" and stream.repeats:  # it was written in the first pass
            return
        if side == "validation":
            self._validation += 1
            self._validation_file.write(line)
        elif side == "held_out":
            self._held_out += 1
            stream.held_out += 1
            self._held_out_file.write(line)
            self._held_out_rows.write(raw)
        else:
            self._train += 1
            stream.train += 1
            self._train_file.write(line)

    def _reject(self, row: Row, stream: SourceReader, rejected: Rejected) -> None:
        if stream.repeats:
            return
        stream.rejected += 1
        self._rejections.add(row.place, rejected.code, rejected.reason, row_excerpt(row))

    def _check_kind(self, kind: str, place: str) -> None:
        if self._kind is None:
            self._kind = (kind, place)
        elif self._kind[0] != kind:
            first, place_of_first = self._kind
            what = f"the formatter returned `{kind}` for this row, but `{first}` for {place_of_first}"
            raise InvalidInput(Problem("mixed-rows", what, place, "one kind of example in a dataset"))

    def finish(self) -> None:
        """Write the report.

        Raises:
            InvalidInput: If there are bad rows and `on_bad_row` is `stop`, or if no row is left to train on.
        """
        self._check_columns()
        if self._rejections.count and self._params.on_bad_row == "stop":
            raise InvalidInput(self._rejections.problems(self._row_count))
        if not self._train:
            raise InvalidInput(self._no_rows_problems())
        self._check_overlap()
        self._context.report.progress(self._row_count, self._row_count, "rows")
        self._report_warnings()
        self._note_unread_columns()
        validation = {"validation": self._validation} if self._params.has_validation else {}
        counts = {"train": self._train, **validation, "held_out": self._held_out, "rejected": self._rejections.count}
        removed = {f"removed by {name}": count for name, count in self._removed.most_common(MOST_FILTERS)}
        overlap = {"overlap": rows} if (rows := self._overlap.get("rows")) else {}
        self._context.report.metric(**counts, **overlap, **self._mix, **removed)
        assert self._kind is not None
        report = {"kind": self._kind[0], **counts, "reasons": self._rejections.reasons(), "sources": self._sources}
        report |= {"overlap": self._overlap} if self._overlap else {}
        report |= {"notes": self._notes, **self._mix, **({"filters": dict(self._removed)} if self._removed else {})}
        write_json(self._context.output / FormattedRows.REPORT, report)

    def _check_overlap(self) -> None:
        """Report held-out rows that training rows repeat, or raise InvalidInput if the recipe asks for it."""
        if not self._held_out or self._params.overlap == "skip":
            return
        self._train_file.flush()
        self._validation_file.flush()
        self._held_out_file.flush()
        overlaps = find_overlaps(self._context, self._train, self._held_out)
        self._overlap = overlaps.report()
        if overlaps.leaked and self._params.overlap == "stop":
            raise InvalidInput(list(overlaps.problems()))
        if overlaps.leaked:
            text = f"{overlaps.describe(passages=False)}: see {FormattedRows.OVERLAP}"
            self._context.report.warning(text, file=FormattedRows.OVERLAP)
        if "passage" in overlaps.kinds:
            self._note(overlaps.describe(passages=True))

    def _check_columns(self) -> None:
        """Raise InvalidInput if the formatters do not read columns that carry meaning."""
        found: dict[tuple[str, str], Problem] = {}  # one for all sources with the same formatter
        for stream in self._streams:
            name = stream.formatter.name
            found = {(name, column): problem for column, problem in stream.column_problems()} | found
        problems = list(found.values())[:MOST_PROBLEMS]
        if problems and self._rejections.count and self._params.on_bad_row == "stop":
            problems += self._rejections.problems(self._row_count)
        if problems:
            raise InvalidInput(problems)

    def _note_unread_columns(self) -> None:
        for stream in self._streams:
            if note := stream.describe_unread_columns():
                self._note(note)

    def _note(self, text: str) -> None:
        self._notes.append(text)
        self._context.report.note(text)

    def _report_warnings(self) -> None:
        report, bad = self._context.report, self._rejections.count
        if bad:
            report.warning(
                f"{bad} of {self._row_count} rows were left out: see {FormattedRows.REJECTED}",
                file=FormattedRows.REJECTED,
            )
        missing = set.intersection(*(stream.columns.missing for stream in self._streams))
        for column in sorted(missing):
            report.warning(f"no row has the column `{column}` of dataset.ignore_columns")
        if self._params.holds_out and not self._held_out:
            what = f"none of {self._row_count} rows is held out, so evaluations have no rows"
            report.warning(f"{what}; {SHARED_QUESTION}" if self._params.groups_questions else what)
        if self._params.has_validation and not self._validation:
            report.warning(f"none of {self._row_count} rows is a validation row: raise dataset.split.validation")

    def _no_rows_problems(self) -> list[Problem]:
        if self._rejections.count:
            return self._rejections.problems(self._row_count)
        if not_trained := self._held_out + self._validation:
            hint = f"lower the shares in dataset.split, or set another column in dataset.split.by; {SHARED_QUESTION}"
            return [Problem("no-rows", f"all {not_trained} rows are held out; none is left to train on", hint=hint)]
        return [Problem("no-rows", "the source has no rows")]
