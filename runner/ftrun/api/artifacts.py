"""Readers of artifacts: the names of the files, and the types of their rows.

The constants of a reader name the files that its stage writes. A plugin that replaces a stage must write these files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, TypedDict, cast

from ftrun.utils.jsonl import read_lines

__all__ = [
    "SPLITS",
    "AnswerRow",
    "Answers",
    "Evaluations",
    "ExampleRow",
    "FormattedRows",
    "LossRow",
    "Losses",
    "OverlapRow",
    "RejectedRow",
    "SampleRow",
    "ScoreRow",
    "Scores",
    "Split",
    "TokenizedRow",
    "TokenizedRows",
]

Split = Literal["train", "validation", "held_out"]
SPLITS: tuple[Split, ...] = ("train", "validation", "held_out")


class ExampleRow(TypedDict, total=False):
    """Example with its place. Its other keys depend on its kind: chat, segments or text."""

    place: str
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    segments: list[dict[str, Any]]
    text: str


class RejectedRow(TypedDict):
    """Rejected row: its place, error code, reason, and the beginning of its content."""

    place: str
    code: str
    reason: str
    raw: str


class OverlapRow(TypedDict):
    """Held-out row that overlaps with training rows: its index and place, the way, and the first training row.

    `kind` is `equal`, `question`, `conversation`, `near` or `passage`. `rows` counts training rows of this kind.
    """

    index: int
    place: str
    kind: str
    train: str
    rows: int


class TokenizedRow(TypedDict):
    """Tokenized row: place and index of its example, number of its tokens, and number of its trained tokens."""

    place: str
    index: int
    tokens: int
    trained: int


class SampleRow(TypedDict):
    """Row of the sample, with its token ids and labels. The label of an untrained token is -100."""

    split: Split
    index: int
    ids: list[int]
    labels: list[int]


class AnswerRow(TypedDict):
    """Answer of a model to one held-out prompt. `reference` and `prediction` contain calls of tools as text."""

    index: int
    place: str
    reference: str
    prediction: str  # the answer as text, without the end of the turn
    calls: list[dict[str, Any]] | None  # calls of tools, as `name` and `arguments`; None if their format is not known
    reference_calls: list[dict[str, Any]]
    error: str | None  # why the answer cannot be scored
    tokens: int
    stopped: bool  # true if the model ended the answer, false if the maximum length did
    ids: list[int]
    prompt_ids: list[int]


class LossRow(TypedDict):
    """Mean loss of one held-out row in nats per trained token, and the number of trained tokens.

    The loss is None if no token of the row is trained.
    """

    index: int
    place: str
    loss: float | None
    tokens: int


class ScoreRow(TypedDict, total=False):
    """Scores of one held-out row, by model: `base`, `tuned`. Each has `score`, `reason` and `answer`.

    The score is None if the row is unscored. `cut` is true if the maximum length ended the answer.
    """

    index: int
    place: str
    reference: str
    verdict: str | None
    judged_by: str
    base: dict[str, Any]
    tuned: dict[str, Any]


@dataclass(frozen=True)
class FormattedRows:
    """Artifact of the stage `format`."""

    REPORT: ClassVar[str] = "report.json"
    REJECTED: ClassVar[str] = "rejected.jsonl"
    OVERLAP: ClassVar[str] = "overlap.jsonl"
    HELD_OUT_SOURCE_ROWS: ClassVar[str] = "held_out.rows.jsonl"

    folder: Path

    @staticmethod
    def file_name(split: Split) -> str:
        return f"{split}.jsonl"

    def path(self, split: Split) -> Path:
        return self.folder / self.file_name(split)

    @property
    def report(self) -> dict[str, Any]:
        """Number of rows per split, reasons of rejected rows, and sources."""
        return cast("dict[str, Any]", json.loads((self.folder / self.REPORT).read_text(encoding="utf-8")))

    @property
    def kind(self) -> str:
        """Kind of all examples: `chat`, `segments` or `text`."""
        return str(self.report["kind"])

    def examples(self, split: Split) -> Iterator[ExampleRow]:
        """Yield the examples of a split. A stage of a plugin may write no validation rows."""
        if split == "validation" and not self.path(split).exists():
            return iter(())
        return cast("Iterator[ExampleRow]", read_lines(self.path(split)))

    def rejected(self) -> Iterator[RejectedRow]:
        return cast("Iterator[RejectedRow]", read_lines(self.folder / self.REJECTED))

    def overlaps(self) -> Iterator[OverlapRow]:
        """Yield the held-out rows that overlap with training rows, by index; none if the check was skipped."""
        path = self.folder / self.OVERLAP
        return cast("Iterator[OverlapRow]", read_lines(path)) if path.exists() else iter(())

    def held_out_source_rows(self) -> Iterator[dict[str, Any]]:
        """Yield the raw row of each held-out example, in the same order."""
        return read_lines(self.folder / self.HELD_OUT_SOURCE_ROWS)


@dataclass(frozen=True)
class TokenizedRows:
    """Artifact of the stage `tokenize`. Each split is a folder that `datasets.load_from_disk` reads."""

    REPORT: ClassVar[str] = "report.json"
    SAMPLE: ClassVar[str] = "sample.jsonl"
    VOCABULARY: ClassVar[str] = "vocabulary.json"
    TEMPLATE: ClassVar[str] = "chat_template.jinja"

    folder: Path

    @staticmethod
    def rows_name(split: Split) -> str:
        return f"{split}.rows.jsonl"

    def dataset(self, split: Split) -> Path:
        """Return the folder of a split, with the columns `input_ids`, `attention_mask` and `labels`."""
        return self.folder / split

    def rows(self, split: Split) -> Iterator[TokenizedRow]:
        """Yield a description of each row of a split, in the order of the dataset."""
        return cast("Iterator[TokenizedRow]", read_lines(self.folder / self.rows_name(split)))

    def sample(self) -> Iterator[SampleRow]:
        return cast("Iterator[SampleRow]", read_lines(self.folder / self.SAMPLE))

    @property
    def vocabulary(self) -> dict[str, Any]:
        """Number of tokens and a digest of all tokens, as `ftrun.api.tokenizers.vocabulary` returns them."""
        return cast("dict[str, Any]", json.loads((self.folder / self.VOCABULARY).read_text(encoding="utf-8")))

    @property
    def template(self) -> str | None:
        """Chat template that rendered the chats. None if the rows are no chats."""
        path = self.folder / self.TEMPLATE
        return path.read_text(encoding="utf-8") if path.exists() else None


@dataclass(frozen=True)
class Answers:
    """Artifact of the stage `generate`."""

    ROWS: ClassVar[str] = "predictions.jsonl"

    folder: Path

    def rows(self) -> Iterator[AnswerRow]:
        return cast("Iterator[AnswerRow]", read_lines(self.folder / self.ROWS))


@dataclass(frozen=True)
class Losses:
    """Artifact of the stage `loss`."""

    ROWS: ClassVar[str] = "losses.jsonl"

    folder: Path

    def rows(self) -> Iterator[LossRow]:
        return cast("Iterator[LossRow]", read_lines(self.folder / self.ROWS))


@dataclass(frozen=True)
class Scores:
    """Artifact of the stage `score`, and of stages that score rows themselves, such as `lm_eval`."""

    ROWS: ClassVar[str] = "scores.jsonl"
    MEANING: ClassVar[str] = "score.json"

    folder: Path

    def rows(self) -> Iterator[ScoreRow]:
        return cast("Iterator[ScoreRow]", read_lines(self.folder / self.ROWS))

    @property
    def meaning(self) -> dict[str, Any]:
        """Description of the scores: `evaluator`, `higher_is_better`, and keys of a stage that scores rows itself."""
        return cast("dict[str, Any]", json.loads((self.folder / self.MEANING).read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Evaluations:
    """Artifact of the stage `evaluate`."""

    RESULT: ClassVar[str] = "evaluation.json"
    SAMPLES: ClassVar[str] = "samples.jsonl"
    CLUSTERS: ClassVar[str] = "clusters.json"

    folder: Path

    @property
    def result(self) -> dict[str, Any]:
        """Results by the name of the evaluation: means, gain, interval, verdict and gates."""
        return cast("dict[str, Any]", json.loads((self.folder / self.RESULT).read_text(encoding="utf-8")))

    def samples(self) -> Iterator[dict[str, Any]]:
        return read_lines(self.folder / self.SAMPLES)
