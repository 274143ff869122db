"""Tokenization of examples with axolotl's prompt strategies in several processes, and checks of every row."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.api.artifacts import SPLITS, FormattedRows, Split, TokenizedRows
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.tokenizers import adds_begin, vocabulary
from ftrun.utils.limits import TimeLimitError
from ftrun_plugins.axolotl.config.build import TEMPLATE
from ftrun_plugins.axolotl.special_tokens import end_of_turn_ids
from ftrun_plugins.axolotl.tokenize.answer_kinds import describe_parsers, watch_kinds
from ftrun_plugins.axolotl.tokenize.data_report import DataReport
from ftrun_plugins.axolotl.tokenize.reservoir import Sample
from ftrun_plugins.axolotl.tokenize.template_check import Probe, find_part_faults, find_text_fault, find_untrained_end
from ftrun_plugins.axolotl.tokenize.template_limits import (
    EXCESS_HINT,
    describe_excess,
    exit_if_stuck,
    limit_rendering,
)
from ftrun_plugins.axolotl.tokenize.template_loss import find_losses
from ftrun_plugins.axolotl.tokenize.template_variables import find_unread
from ftrun_plugins.axolotl.workspace import MODEL, NO_TRAINING, chdir_offline, write_workspace

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.axolotl.tokenize.params import Params

STRATEGIES = {"chat": "chat_template", "segments": "input_output", "text": "completion"}
ROWS_PER_TASK = 64
MIN_ROWS_FOR_POOL = 500  # fewer rows are tokenized in this process
IGNORED = -100  # label of a token that is not trained
NO_LIMIT = 1 << 40  # tokens
MAX_REPORTED_ROWS = 10
LOSS_HINT = "use another train.chat_template, change the rows, or set dataset.on_template_loss=report"
# Keys of a message that the template gets. By default, the trainer searches the template's source for the keys that it
# reads, and misses those in macros and in calls of `get`.
MESSAGE_KEYS = ("role", "content", "reasoning_content", "tool_calls", "tool_call_id", "name")
COLUMNS = {"input_ids": "int32", "attention_mask": "int8", "labels": "int64"}
# Keys of axolotl's dataset entry that select the trained tokens. The default is the assistant's turns and their ends.
MASK_KEYS = frozenset(
    ("roles_to_train", "train_on_eos", "train_on_eot", "message_field_training", "message_field_training_detail")
)


@dataclass(frozen=True)
class Tokens:
    """Tokens of one row.

    Attributes:
        ids: Token ids.
        labels: The id of each trained token, and -100 for each other token.
        cut: True if the end of the row was cut off.
        fault: Reason why the row has no tokens, or None.
        losses: Kinds of content of the row that the chat template leaves out.
        is_excessive: True if the template ran out of time or memory, so that further rows would take too long.
    """

    ids: list[int]
    labels: list[int]
    cut: bool = False
    fault: str | None = None
    losses: frozenset[str] = frozenset()
    is_excessive: bool = False


@dataclass(frozen=True)
class RowOutcome:
    """Result of the checks of a row.

    Attributes:
        tokens: Tokens of the row, after it was cut.
        dropped: True if the row is too long and is dropped.
        problem: Reason why the row must stop the run, or None.
    """

    tokens: Tokens
    dropped: bool = False
    problem: str | None = None


def tokenize(params: Params, context: StageContext) -> None:
    """Run the stage: write both splits, a sample of rows, the vocabulary and the chat template."""
    data, names = FormattedRows(context.inputs["data"]), TokenizedRows
    worker = TokenizeWorker(params, data.kind, context)
    template = worker.tokenizer.chat_template if data.kind == "chat" else None
    for message in find_unread(template, params.trainer.get(TEMPLATE) or {}):
        context.report.warning(message)
    kinds = set[str]()
    report = {split: worker.split(split, watch_kinds(data.examples(split), kinds)) for split in SPLITS}
    for note in describe_parsers(template or "", kinds):
        context.report.note(note)
    (context.output / names.REPORT).write_text(json.dumps(report, indent=1))
    rows = sorted(worker.sample.rows, key=lambda row: (row["split"], row["index"]))
    (context.output / names.SAMPLE).write_text("".join(json.dumps(row) + "\n" for row in rows))
    (context.output / names.VOCABULARY).write_text(json.dumps(vocabulary(worker.tokenizer)))
    if template is not None:
        (context.output / names.TEMPLATE).write_text(template)
    counts = ("rows", "tokens", "trained_tokens")
    context.report.metric(**{f"{split}_{name}": report[split].get(name, 0) for split in SPLITS for name in counts})


class TokenizeWorker:
    """Tokenizer and prompt strategy for one call of the stage."""

    def __init__(self, params: Params, kind: str, context: StageContext) -> None:
        self._params = params
        self._kind = kind
        self._context = context
        self.sample = Sample()
        mapping = {"message_property_mappings": {key: key for key in MESSAGE_KEYS}, "message_field_training": "train"}
        keys = mapping if kind == "chat" else {}
        entry = {"path": "examples.jsonl", "ds_type": "json", "type": STRATEGIES[kind], **keys, **params.dataset}
        config = {
            **NO_TRAINING,
            **params.trainer,
            "trust_remote_code": params.trust_remote_code,
            "datasets": [entry],
        }
        path = write_workspace(context.work, config, {MODEL: context.inputs["model"]})
        with chdir_offline(context.work):
            self._load(path, entry)

    def _load(self, path: Path, entry: dict[str, Any]) -> None:
        from axolotl.cli.config import load_cfg
        from axolotl.loaders import load_tokenizer
        from axolotl.prompt_strategies import load

        config = load_cfg(path.name, is_preprocess=True)
        self.tokenizer = load_tokenizer(config)
        self.sequence_len = int(config.sequence_len)
        self.cuts = (config.excess_length_strategy or "drop").lower() == "truncate"
        if self._kind == "text":
            config.sequence_len = NO_LIMIT  # `check_row` cuts or drops long texts; axolotl would split them
        self._strategy = load(STRATEGIES[self._kind], self.tokenizer, config, entry)
        self._ends = end_of_turn_ids(self.tokenizer, config) if self._kind == "chat" else frozenset()
        self._faults = []
        if self._kind == "chat":
            try:
                with limit_rendering(), exit_if_stuck():
                    self._faults = self._check_template(config, entry)
            except (TimeLimitError, MemoryError) as error:
                raise InvalidInput(
                    Problem("template-mismatch", describe_excess(error), "the chat template", hint=EXCESS_HINT)
                ) from None

    def _check_template(self, config: Any, entry: dict[str, Any]) -> list[tuple[Probe, str]]:
        """Return the parts of rows that would be trained incorrectly, such as tool calls, with the reasons.

        Nothing is checked if the recipe itself selects the trained tokens.

        Raises:
            InvalidInput: If plain rows would be trained incorrectly, or without the end of their turns.
        """
        if self._params.trainer.get("train_on_inputs") or not MASK_KEYS.isdisjoint(self._params.dataset):
            return []
        needs_end = not self._params.untrained_end_of_turn
        fault = find_text_fault(self._strategy, self._ends, needs_end)
        if fault is not None:
            hint = "use another train.chat_template, or list the tokens that end a turn in train.eot_tokens"
            raise InvalidInput(Problem("template-mismatch", fault, at="the chat template", hint=hint))
        end = find_untrained_end(self._strategy, self._ends) if needs_end else None
        if end is not None:
            what = f"with this chat template, turns end with {end}, which is not trained, so the model would not stop"
            hint = self._propose_end(end, config, entry)
            raise InvalidInput(Problem("template-mismatch", what, at="the chat template", hint=hint))
        return list(find_part_faults(self._strategy, self._ends, needs_end))

    def _propose_end(self, end: str, config: Any, entry: dict[str, Any]) -> str:
        """Return a hint with an override that makes the trainer train the token `end`, if that works."""
        from axolotl.prompt_strategies import load

        tokens = [*(config.eot_tokens or ()), end]
        changed = type(config)({**config, "eot_tokens": tokens})
        strategy = load(STRATEGIES[self._kind], self.tokenizer, changed, entry)
        ids = end_of_turn_ids(self.tokenizer, changed)
        if find_text_fault(strategy, ids, needs_end=True) or find_untrained_end(strategy, ids):
            return "use another train.chat_template, or set dataset.untrained_end_of_turn=true"
        return f"set 'train.eot_tokens={json.dumps(tokens, ensure_ascii=False)}'"

    def split(self, name: Split, examples: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Write one split and return its report.

        Raises:
            InvalidInput: If rows would train nothing, if too many rows are too long, or if held-out rows fill no pack.
        """
        from datasets import Dataset, Features, Sequence, Value
        from datasets.arrow_writer import ArrowWriter

        report = DataReport(self.sequence_len)
        features = Features({key: Sequence(Value(kind)) for key, kind in COLUMNS.items()})
        arrow = self._context.work / f"{name}.arrow"
        with (
            (self._context.output / TokenizedRows.rows_name(name)).open("w") as places,
            ArrowWriter(path=str(arrow), features=features) as writer,
        ):
            for row in self._process_rows(name, examples, report, places):
                writer.write(row)
            rows, _ = writer.finalize()
        self._check_report(name, report)
        if rows:
            Dataset.from_file(str(arrow)).save_to_disk(str(self._context.output / name))
        arrow.unlink()
        return report.summary()

    def _process_rows(
        self, name: str, examples: Iterable[Mapping[str, Any]], report: DataReport, places: Any
    ) -> Iterator[dict[str, list[int]]]:
        for index, (example, tokens) in enumerate(self._tokenize_all(examples)):
            place = str(example["place"])
            self._context.check_stop()
            self._context.report.progress(index + 1, None, f"{name} rows")
            if tokens.is_excessive:
                raise InvalidInput(Problem("bad-row", tokens.fault or "", place, hint=EXCESS_HINT))
            outcome = self.check_row(tokens)
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

    def check_row(self, tokens: Tokens) -> RowOutcome:
        """Check a row with these tokens, and cut it if it is too long and the recipe says so."""
        if tokens.fault is not None:
            return RowOutcome(tokens, problem=tokens.fault)
        if len(tokens.ids) > self.sequence_len:
            if not self.cuts:
                return RowOutcome(tokens, dropped=True)
            ids, labels = tokens.ids[: self.sequence_len], tokens.labels[: self.sequence_len]
            tokens = replace(tokens, ids=ids, labels=labels, cut=True)
        return RowOutcome(tokens, problem=self._find_problem(tokens))

    def _find_problem(self, tokens: Tokens) -> str | None:
        """Return the reason why a row must not be trained, or None. The first token is never trained."""
        if len(tokens.ids) == 1:
            return "the row is a single token, which trains nothing"
        trained = [label for label in tokens.labels[1:] if label != IGNORED]
        if not trained:
            return "no token of the row would be trained" + (
                " because `sequence_len` cuts it before the answer" if tokens.cut else ""
            )
        if self._kind != "chat" or tokens.cut or self._params.untrained_end_of_turn or trained[-1] in self._ends:
            return None
        last = self.tokenizer.convert_ids_to_tokens(trained[-1])
        ends = ", ".join(self.tokenizer.convert_ids_to_tokens(sorted(self._ends)))
        return (
            "the end of the assistant's turn is not trained, so the model would not learn to stop "
            f"(the last trained token is {last!r}, not {ends})"
        )

    def _tokenize_all(self, examples: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], Tokens]]:
        """Yield examples with their tokens, in order. Many rows are tokenized in several processes."""
        head = list(islice(examples, MIN_ROWS_FOR_POOL))
        for example in head:
            yield example, self.tokenize(example)
        processes = len(os.sched_getaffinity(0))
        if processes == 1:
            yield from ((example, self.tokenize(example)) for example in examples)
            return
        with _fork_pool(processes, self) as pool:
            yield from pool.imap(_tokenize_example, examples, chunksize=ROWS_PER_TASK)

    def tokenize(self, example: Mapping[str, Any]) -> Tokens:
        """Return all tokens of an example, without a limit on their number."""
        for probe, fault in self._faults:
            if probe.concerns(example["messages"]):
                return Tokens([], [], fault=fault)
        row = {key: value for key, value in example.items() if key != "place"}
        if self._kind == "segments":
            row = {"segments": self._add_end_tokens(row["segments"])}
        losses = frozenset[str]()
        if self._kind != "chat":
            result = self._apply_strategy(row)
        else:
            try:
                with limit_rendering():
                    result = self._apply_strategy(row)
                    losses = self._find_losses(row)
            except (TimeLimitError, MemoryError) as error:
                return Tokens([], [], fault=describe_excess(error), is_excessive=True)
            except Exception as error:  # the template rejects the row or fails on it
                return Tokens([], [], fault=f"the chat template cannot render the row: {_format_error(error)}")
        return Tokens(list(result["input_ids"]), list(result["labels"]), losses=losses)

    def _find_losses(self, row: dict[str, Any]) -> frozenset[str]:
        """Return the kinds of content of a chat that its template leaves out."""
        turns, tools = self._strategy.get_conversation_thread(row), self._strategy._get_tools(row)
        text = self._strategy.prompter.build_prompt_text(turns, tools=tools)
        return frozenset(find_losses(row["messages"], row.get("tools") or (), text)) if text else frozenset()

    def _apply_strategy(self, row: dict[str, Any]) -> Mapping[str, list[int]]:
        if not self._strategy.supports_batched:
            result: Mapping[str, list[int]] = self._strategy.tokenize_prompt(row)
            return result
        batch = self._strategy.tokenize_prompt({key: [value] for key, value in row.items()})
        return {key: values[0] for key, values in batch.items()}

    def _add_end_tokens(self, segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Add the tokenizer's begin token to the segments, and its end token if the last segment is trained."""
        begin = [{"text": self.tokenizer.bos_token, "label": False}] if adds_begin(self.tokenizer) else []
        end = [{"text": self.tokenizer.eos_token, "label": True}] if segments[-1]["label"] else []
        return [*begin, *segments, *end]

    def _check_report(self, name: str, report: DataReport) -> None:
        """Raise InvalidInput if rows have problems, too many are cut or dropped, or held-out rows fill no pack."""
        if report.problems:
            problems = [Problem("bad-row", reason, at=place) for place, reason in report.problems[:MAX_REPORTED_ROWS]]
            more = report.problem_count - len(problems)
            if more > 0:
                problems.append(Problem("bad-row", f"{more} more rows of {name} have problems"))
            raise InvalidInput(problems)
        self._check_losses(name, report)
        affected = report.cut + report.dropped
        what = f"{affected} of {report.row_count} {name} rows are longer than sequence_len {self.sequence_len}"
        effect = "cut" if self.cuts else "dropped"
        if affected > self._params.max_cut * report.row_count:
            place, length = report.longest
            raise InvalidInput(
                Problem(
                    "rows-too-long",
                    f"{what} and would be {effect}",
                    at=f"{place} ({length} tokens, the longest)",
                    expected=f"at most {self._params.max_cut:.1%}",
                    hint="raise train.sequence_len or dataset.max_cut, or shorten the rows",
                )
            )
        if affected:
            self._context.report.warning(f"{what} and are {effect}")
        if name == "held_out" and self._params.pack_held_out and report.tokens < self.sequence_len:
            raise InvalidInput(
                Problem(
                    "too-few-rows",
                    f"the held-out rows have {report.tokens} tokens, too few for a pack of {self.sequence_len}",
                    at="train.eval_sample_packing",
                    hint="hold out more rows, or leave out eval_sample_packing",
                )
            )

    def _check_losses(self, name: str, report: DataReport) -> None:
        """Report content that the chat template leaves out, or raise InvalidInput if the recipe says so."""
        problems = []
        for kind, (count, place) in sorted(report.losses.items()):
            what = f"the chat template leaves out {kind} in {count:,} of {report.row_count:,} {name} rows"
            problems.append(Problem("template-loss", what, at=place, hint=LOSS_HINT))
        if problems and self._params.on_template_loss == "stop":
            raise InvalidInput(problems)
        for problem in problems:
            self._context.report.note(f"{problem.what}, first at {problem.at}")


def _format_error(error: BaseException) -> str:
    text = " ".join(str(error).split())[:200]
    return text if type(error).__name__ == "TemplateError" else f"{type(error).__name__}: {text}"


_worker: TokenizeWorker | None = None


@contextmanager
def _fork_pool(processes: int, worker: TokenizeWorker) -> Iterator[Any]:
    """Yield a pool of forked processes, which need not pickle the tokenizer and the strategy.

    On SIGTERM, the stage only sets a flag. The processes of the pool must not, because the pool ends them with SIGTERM.
    """
    handler = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        pool = multiprocessing.get_context("fork").Pool(processes, initializer=_set_worker, initargs=(worker,))
    finally:
        signal.signal(signal.SIGTERM, handler)
    with pool:
        yield pool


def _set_worker(worker: TokenizeWorker) -> None:
    global _worker
    _worker = worker


def _tokenize_example(example: dict[str, Any]) -> tuple[dict[str, Any], Tokens]:
    assert _worker is not None
    return {"place": example["place"]}, _worker.tokenize(example)
