"""Tokenization of all splits in several processes, and checks of every row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ftrun.api.artifacts import SPLITS, ExampleRow, FormattedRows, Split, TokenizedRows
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.template_limits import EXCESS_HINT
from ftrun.api.tokenizers import vocabulary
from ftrun_plugins.axolotl.config.build import TEMPLATE
from ftrun_plugins.axolotl.tokenize.answer_kinds import describe_parsers, watch_kinds
from ftrun_plugins.axolotl.tokenize.data_report import DataReport
from ftrun_plugins.axolotl.tokenize.embedding_check import describe_added_rows
from ftrun_plugins.axolotl.tokenize.process_pool import tokenize_all
from ftrun_plugins.axolotl.tokenize.prompt_check import ChatSample, check_prompts
from ftrun_plugins.axolotl.tokenize.report_check import check_report
from ftrun_plugins.axolotl.tokenize.reservoir import Sample
from ftrun_plugins.axolotl.tokenize.row_tokenizer import RowTokenizer
from ftrun_plugins.axolotl.tokenize.template_variables import find_unread
from ftrun_plugins.axolotl.tokenize.tokens import IGNORED

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.axolotl.tokenize.params import Params

COLUMNS = {"input_ids": "int32", "attention_mask": "int8", "labels": "int64"}


def tokenize(params: Params, context: StageContext) -> None:
    """Run the stage: write the splits, a sample of rows, the vocabulary and the chat template."""
    data, names = FormattedRows(context.inputs["data"]), TokenizedRows
    rows = RowTokenizer(params, data.kind, context)
    template = rows.tokenizer.chat_template if data.kind == "chat" else None
    added = describe_added_rows(context.inputs["model"], rows.tokenizer)
    for message in (*find_unread(template, params.trainer.get(TEMPLATE) or {}), *filter(None, [added])):
        context.report.warning(message)
    writer, kinds, chats = SplitWriter(rows, params, context), set[str](), ChatSample()
    report = {split: writer.write(split, chats.watch(watch_kinds(data.examples(split), kinds))) for split in SPLITS}
    check_prompts(rows, chats.examples, params, context.report)
    for note in describe_parsers(template or "", kinds):
        context.report.note(note)
    (context.output / names.REPORT).write_text(json.dumps(report, indent=1))
    sample = sorted(writer.sample.rows, key=lambda row: (row["split"], row["index"]))
    (context.output / names.SAMPLE).write_text("".join(json.dumps(row) + "\n" for row in sample))
    (context.output / names.VOCABULARY).write_text(json.dumps(vocabulary(rows.tokenizer)))
    if template is not None:
        (context.output / names.TEMPLATE).write_text(template)
    counts = ("rows", "tokens", "trained_tokens")
    shown = [split for split in SPLITS if split != "validation" or report[split].get("rows")]
    context.report.metric(**{f"{split}_{name}": report[split].get(name, 0) for split in shown for name in counts})


class SplitWriter:
    """Writer of tokenized splits, which draws a sample of their rows."""

    def __init__(self, rows: RowTokenizer, params: Params, context: StageContext) -> None:
        self._rows = rows
        self._params = params
        self._context = context
        self.sample = Sample()

    def write(self, name: Split, examples: Iterator[ExampleRow]) -> dict[str, Any]:
        """Write one split and return its report.

        Raises:
            InvalidInput: If rows would train nothing, if too many rows are too long, or if held-out rows fill no pack.
        """
        from datasets import Dataset, Features, Sequence, Value
        from datasets.arrow_writer import ArrowWriter

        report = DataReport(self._rows.sequence_len)
        features = Features({key: Sequence(Value(kind)) for key, kind in COLUMNS.items()})
        arrow = self._context.work / f"{name}.arrow"
        with (
            (self._context.output / TokenizedRows.rows_name(name)).open("w") as places,
            ArrowWriter(path=str(arrow), features=features) as writer,
        ):
            for row in self._process_rows(name, examples, report, places):
                writer.write(row)
            rows, _ = writer.finalize()
        check_report(name, report, self._params, self._rows.cuts, self._context.report)
        if rows:
            Dataset.from_file(str(arrow)).save_to_disk(str(self._context.output / name))
        arrow.unlink()
        return report.summary()

    def _process_rows(
        self, name: Split, examples: Iterator[ExampleRow], report: DataReport, places: Any
    ) -> Iterator[dict[str, list[int]]]:
        for index, (example, tokens) in enumerate(tokenize_all(self._rows.tokenize, examples)):
            place = str(example["place"])
            self._context.check_stop()
            self._context.report.progress(index + 1, None, f"{name} rows")
            if tokens.is_excessive:
                raise InvalidInput(Problem("bad-row", tokens.fault or "", place, hint=EXCESS_HINT))
            outcome = self._rows.check_row(tokens)
            tokens = outcome.tokens
            if outcome.dropped:
                report.drop(place, len(tokens.ids))
                continue
            if outcome.problem:
                report.add_problem(place, outcome.problem)
                continue
            trained = sum(label != IGNORED for label in tokens.labels)
            report.add(place, len(tokens.ids), trained, tokens.cut)
            report.add_losses(place, tokens.losses)
            places.write(
                json.dumps({"place": place, "index": index, "tokens": len(tokens.ids), "trained": trained}) + "\n"
            )
            if not tokens.cut:
                self.sample.offer({"split": name, "index": index, "ids": tokens.ids, "labels": tokens.labels})
            yield {"input_ids": tokens.ids, "attention_mask": [1] * len(tokens.ids), "labels": tokens.labels}
