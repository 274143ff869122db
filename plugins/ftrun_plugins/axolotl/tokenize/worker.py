"""Tokenizes examples with axolotl's prompt strategies in several processes and checks every row of the result."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.api.artifacts import SPLITS, FormattedRows, Split, TokenizedRows
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.tokenizers import adds_begin, vocabulary
from ftrun_plugins.axolotl.special_tokens import end_of_turn_ids
from ftrun_plugins.axolotl.tokenize.data_report import DataReport
from ftrun_plugins.axolotl.tokenize.reservoir import Sample
from ftrun_plugins.axolotl.tokenize.template_check import calling_fault, plain_fault
from ftrun_plugins.axolotl.workspace import MODEL, NO_TRAINING, chdir_offline, write_workspace

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.axolotl.tokenize.params import Params

STRATEGIES = {"chat": "chat_template", "segments": "input_output", "text": "completion"}
ROWS_A_TASK = 64
ROWS_WORTH_A_PROCESS = 500
IGNORED = -100
NO_LIMIT = 1 << 40  # tokens
MOST_SHOWN = 10
# What of a message reaches the template. By default the trainer looks into the template's source for the keys that it
# reads, and misses those in macros and behind `get`.
MESSAGE_KEYS = ("role", "content", "reasoning_content", "tool_calls", "tool_call_id", "name")
COLUMNS = {"input_ids": "int32", "attention_mask": "int8", "labels": "int64"}
# Keys of axolotl's dataset entry that say what is trained, in place of the assistant's turns and their ends.
CHOOSES = frozenset(
    ("roles_to_train", "train_on_eos", "train_on_eot", "message_field_training", "message_field_training_detail")
)


@dataclass(frozen=True)
class Tokens:
    """One prepared row. `labels` are the ids that are trained on and -100 elsewhere; `fault`: why there are none."""

    ids: list[int]
    labels: list[int]
    cut: bool = False
    fault: str | None = None


@dataclass(frozen=True)
class Fate:
    """What becomes of a row: the tokens that are trained on, or why it is dropped or must stop the run."""

    tokens: Tokens
    dropped: bool = False
    problem: str | None = None


def tokenize(params: Params, context: StageContext) -> None:
    """Run the stage: write both splits, a sample of rows, the vocabulary and the chat template."""
    data, made = FormattedRows(context.inputs["data"]), TokenizedRows
    worker = TokenizeWorker(params, data.kind, context)
    report = {split: worker.split(split, data.examples(split)) for split in SPLITS}
    (context.output / made.REPORT).write_text(json.dumps(report, indent=1))
    rows = sorted(worker.sample.rows, key=lambda row: (row["split"], row["index"]))
    (context.output / made.SAMPLE).write_text("".join(json.dumps(row) + "\n" for row in rows))
    (context.output / made.VOCABULARY).write_text(json.dumps(vocabulary(worker.tokenizer)))
    if data.kind == "chat":
        (context.output / made.TEMPLATE).write_text(worker.tokenizer.chat_template)
    counts = ("rows", "tokens", "trained_tokens")
    context.report.metric(**{f"{split}_{name}": report[split].get(name, 0) for split in SPLITS for name in counts})


class TokenizeWorker:
    """The tokenizer and strategy of one call."""

    def __init__(self, params: Params, kind: str, context: StageContext) -> None:
        self._params = params
        self._kind = kind
        self._context = context
        self.sample = Sample()
        keys = {"message_property_mappings": {key: key for key in MESSAGE_KEYS}} if kind == "chat" else {}
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
            config.sequence_len = NO_LIMIT  # long texts are dropped or cut here, by the rule for all others, not split
        self._strategy = load(STRATEGIES[self._kind], self.tokenizer, config, entry)
        self._ends = end_of_turn_ids(self.tokenizer, config) if self._kind == "chat" else frozenset()
        self._calling_fault = self._try_template() if self._kind == "chat" else None

    def _try_template(self) -> str | None:
        """Why rows with tool calls would be trained wrong, or None. Raises `InvalidInput` where any row would be.

        A recipe that chooses itself what is trained is not second-guessed.
        """
        if self._params.trainer.get("train_on_inputs") or not CHOOSES.isdisjoint(self._params.dataset):
            return None
        needs_end = not self._params.untrained_end_of_turn
        fault = plain_fault(self._strategy, self._ends, needs_end)
        if fault is not None:
            do = "take another train.chat_template, or name what ends a turn in train.eot_tokens"
            raise InvalidInput(Problem("template-mismatch", fault, at="the chat template", hint=do))
        return calling_fault(self._strategy, self._ends, needs_end)

    def split(self, name: Split, examples: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Writes one split and returns its report. Raises `InvalidInput` for rows that would train nothing."""
        from datasets import Dataset, Features, Sequence, Value
        from datasets.arrow_writer import ArrowWriter

        report = DataReport(self.sequence_len)
        features = Features({key: Sequence(Value(kind)) for key, kind in COLUMNS.items()})
        arrow = self._context.work / f"{name}.arrow"
        with (
            (self._context.output / TokenizedRows.rows_name(name)).open("w") as places,
            ArrowWriter(path=str(arrow), features=features) as writer,
        ):
            for row in self._rows(name, examples, report, places):
                writer.write(row)
            rows, _ = writer.finalize()
        self._judge(name, report)
        if rows:
            Dataset.from_file(str(arrow)).save_to_disk(str(self._context.output / name))
        arrow.unlink()
        return report.summary()

    def _rows(
        self, name: str, examples: Iterable[Mapping[str, Any]], report: DataReport, places: Any
    ) -> Iterator[dict[str, list[int]]]:
        for index, (example, tokens) in enumerate(self._tokenized(examples)):
            place = str(example["place"])
            self._context.check_stop()
            self._context.report.progress(index + 1, None, f"{name} rows")
            fate = self.fate(tokens)
            tokens = fate.tokens
            if fate.dropped:
                report.drop(place, len(tokens.ids))
                continue
            if fate.problem:
                report.problem(place, fate.problem)
                continue
            trained = sum(label != IGNORED for label in tokens.labels)
            report.add(place, len(tokens.ids), trained, tokens.cut)
            places.write(
                json.dumps({"place": place, "index": index, "tokens": len(tokens.ids), "trained": trained}) + "\n"
            )
            if not tokens.cut:
                self.sample.offer({"split": name, "index": index, "ids": tokens.ids, "labels": tokens.labels})
            yield {"input_ids": tokens.ids, "attention_mask": [1] * len(tokens.ids), "labels": tokens.labels}

    def fate(self, tokens: Tokens) -> Fate:
        """What becomes of a row with these tokens."""
        if tokens.fault is not None:
            return Fate(tokens, problem=tokens.fault)
        if len(tokens.ids) > self.sequence_len:
            if not self.cuts:
                return Fate(tokens, dropped=True)
            tokens = Tokens(tokens.ids[: self.sequence_len], tokens.labels[: self.sequence_len], cut=True)
        return Fate(tokens, problem=self._problem(tokens))

    def _problem(self, tokens: Tokens) -> str | None:
        """Why a row must not be trained on, or None. The first token is never trained: nothing predicts it."""
        if len(tokens.ids) == 1:
            return "it is a single token, from which nothing can be learnt"
        trained = [label for label in tokens.labels[1:] if label != IGNORED]
        if not trained:
            return "no token of it would be trained" + (
                ": `sequence_len` cuts it before the answer" if tokens.cut else ""
            )
        if self._kind != "chat" or tokens.cut or self._params.untrained_end_of_turn or trained[-1] in self._ends:
            return None
        last = self.tokenizer.convert_ids_to_tokens(trained[-1])
        ends = ", ".join(self.tokenizer.convert_ids_to_tokens(sorted(self._ends)))
        return (
            "the end of the assistant's turn is not trained, so the model would not learn to stop: "
            f"the last trained token is {last!r}, not {ends}"
        )

    def _tokenized(self, examples: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], Tokens]]:
        """Examples with their tokens, in order; in processes of their own where there are enough rows."""
        head = list(islice(examples, ROWS_WORTH_A_PROCESS))
        for example in head:
            yield example, self.tokenize(example)
        processes = len(os.sched_getaffinity(0))
        if processes == 1:
            yield from ((example, self.tokenize(example)) for example in examples)
            return
        with _forked(processes, self) as pool:
            yield from pool.imap(_tokenize_one, examples, chunksize=ROWS_A_TASK)

    def tokenize(self, example: Mapping[str, Any]) -> Tokens:
        """All tokens of an example, however many."""
        if self._calling_fault and any(message.get("tool_calls") for message in example.get("messages", ())):
            return Tokens([], [], fault=self._calling_fault)
        row = {key: value for key, value in example.items() if key != "place"}
        if self._kind == "segments":
            row = {"segments": self._with_ends(row["segments"])}
        if self._kind != "chat":
            result = self._by_strategy(row)
        else:
            try:
                result = self._by_strategy(row)
            except Exception as error:  # a template refuses a row, or stumbles over it: both are about this row
                return Tokens([], [], fault=f"the chat template cannot render it: {_short(error)}")
        return Tokens(list(result["input_ids"]), list(result["labels"]))

    def _by_strategy(self, row: dict[str, Any]) -> Mapping[str, list[int]]:
        if not self._strategy.supports_batched:
            result: Mapping[str, list[int]] = self._strategy.tokenize_prompt(row)
            return result
        batch = self._strategy.tokenize_prompt({key: [value] for key, value in row.items()})
        return {key: values[0] for key, values in batch.items()}

    def _with_ends(self, segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Segments get the tokenizer's begin token in front and, where the last is trained, its end token behind."""
        begin = [{"text": self.tokenizer.bos_token, "label": False}] if adds_begin(self.tokenizer) else []
        end = [{"text": self.tokenizer.eos_token, "label": True}] if segments[-1]["label"] else []
        return [*begin, *segments, *end]

    def _judge(self, name: str, report: DataReport) -> None:
        """Stops the run for rows that would train nothing, or when too many are cut or dropped."""
        if report.problems:
            first = [Problem("bad-row", reason, at=place) for place, reason in report.problems[:MOST_SHOWN]]
            more = report.problem_count - len(first)
            if more > 0:
                first.append(Problem("bad-row", f"and {more} more rows of {name} like these"))
            raise InvalidInput(first)
        affected = report.cut + report.dropped
        found = f"{affected} of {report.seen} {name} rows are longer than sequence_len {self.sequence_len}"
        how = "cut short" if self.cuts else "dropped"
        if affected > self._params.max_cut * report.seen:
            place, length = report.longest
            raise InvalidInput(
                Problem(
                    "rows-too-long",
                    f"{found}; they would be {how}",
                    at=f"{place} ({length} tokens, the longest)",
                    expected=f"at most {self._params.max_cut:.1%}",
                    hint="raise train.sequence_len or dataset.max_cut, or shorten the rows",
                )
            )
        if affected:
            self._context.report.warning(f"{found}; they are {how}")
        if name == "held_out" and self._params.pack_held_out and report.tokens < self.sequence_len:
            raise InvalidInput(
                Problem(
                    "too-few-rows",
                    f"the held-out rows have {report.tokens} tokens, too few for a pack of {self.sequence_len}",
                    at="train.eval_sample_packing",
                    hint="hold out more rows, or leave eval_sample_packing out",
                )
            )


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split())[:200]
    return text if type(error).__name__ == "TemplateError" else f"{type(error).__name__}: {text}"


_worker: TokenizeWorker | None = None


@contextmanager
def _forked(processes: int, tokenizing: TokenizeWorker) -> Iterator[Any]:
    """A pool of forked workers, for a tokenizer and a strategy need not be pickled then.

    The stage answers SIGTERM by setting a flag. Its workers must not: a pool ends them by that signal.
    """
    handler = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        pool = multiprocessing.get_context("fork").Pool(processes, initializer=_begin, initargs=(tokenizing,))
    finally:
        signal.signal(signal.SIGTERM, handler)
    with pool:
        yield pool


def _begin(tokenizing: TokenizeWorker) -> None:
    global _worker
    _worker = tokenizing


def _tokenize_one(example: dict[str, Any]) -> tuple[dict[str, Any], Tokens]:
    assert _worker is not None
    return {"place": example["place"]}, _worker.tokenize(example)
