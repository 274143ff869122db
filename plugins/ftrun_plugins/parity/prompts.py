"""Comparison of prompts token by token: from the trainer, from the saved tokenizer, and from the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.api.artifacts import SPLITS, FormattedRows, TokenizedRows
from ftrun.api.errors import Problem
from ftrun.api.tokenizers import vocabulary
from ftrun_plugins.evaluation.prompts import Prompt, apply_template, prompts
from ftrun_plugins.parity.engine import run_tokenizer
from ftrun_plugins.parity.stops import check_end
from ftrun_plugins.serving.lora import list_obstacles, read_adapter

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.parity.params import Params

IGNORED = -100
MOST_SHOWN = 3  # maximum number of reported rows with the same kind of error
CONTEXT = 4  # number of tokens shown on each side of a difference
NO_ROWS = "every row is longer than sequence_len and was cut"

HINT = (
    "serve the template of the training: `train.chat_template`, or the template of the model; "
    "variables that it needs belong in `model.template`, such as model.template.enable_thinking=false"
)
TOOLS_HINT = (
    "vLLM writes tools with `name`, `description` and `parameters` in this order, with null for a missing one; "
    "write them so in the rows"
)

Tokens = Callable[[Prompt], list[int]]


@dataclass(frozen=True)
class Row:
    """Prompt with its token ids in training, and the last trained token of its row."""

    prompt: Prompt
    ids: list[int]
    last: int


def compare_prompts(params: Params, context: StageContext) -> tuple[dict[str, Any], list[Problem]]:
    """Return a summary of the comparison, and the differences.

    Compares only chats, because other rows are served without a template.
    """
    inputs = context.inputs
    data, tokenized = FormattedRows(inputs["data"]), TokenizedRows(inputs["tokenized"])
    kind = data.kind
    if kind != "chat":
        return {"rows": 0, "why": f"the rows are of the kind {kind}, which is served without a template"}, []
    rows = list(_read_rows(tokenized, data))
    if not rows:
        context.report.warning(f"no prompt is compared: {NO_ROWS}")
    problems: list[Problem] = []
    for name, folder in _list_served_folders(inputs).items():
        context.check_stop()
        context.report.progress(0, None, f"rows, {name}")
        problems += _check(name, folder, rows, params, context)
    tokens = sum(len(row.ids) for row in rows)
    summary = {"rows": len(rows), "tokens": tokens, "engine": "vllm" if params.engine and rows else "none"}
    return summary if rows else {**summary, "why": NO_ROWS}, problems


def _list_served_folders(inputs: Mapping[str, Path]) -> dict[str, Path]:
    """Return the folders whose tokenizer a server of this run may load, by the name of the model."""
    folders = {"the merged model": inputs["merged"]} if "merged" in inputs else {}
    adapter = read_adapter(inputs["train"])
    if not adapter:
        return {"the trained model": inputs["train"]}
    template = inputs["model"] / TokenizedRows.TEMPLATE
    trained = (TokenizedRows(inputs["tokenized"]).template or "").strip()
    same = template.exists() and template.read_text().strip() == trained
    if not folders or (same and not list(list_obstacles(adapter))):
        folders["the base model under the adapter"] = inputs["model"]
    return folders


def _read_rows(tokenized: TokenizedRows, data: FormattedRows) -> Iterator[Row]:
    """Yield the rows of the sample that `tokenize` drew, with the prompts of their examples."""
    sample = list(tokenized.sample())
    for split in SPLITS:
        wanted = {row["index"]: row for row in sample if row["split"] == split}
        for prompt in prompts(data, split) if wanted else ():
            if prompt.index in wanted:
                row = wanted[prompt.index]
                start = _find_last_turn(row["labels"])
                last = next(label for label in reversed(row["labels"]) if label != IGNORED)
                yield Row(prompt, row["ids"][:start], last)


def _find_last_turn(labels: Sequence[int]) -> int:
    """Return the start of the last sequence of trained tokens."""
    place = max(index for index, label in enumerate(labels) if label != IGNORED)
    while place and labels[place - 1] != IGNORED:
        place -= 1
    return place


def _check(name: str, folder: Path, rows: Sequence[Row], params: Params, context: StageContext) -> list[Problem]:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=params.trust_remote_code)
    trained = TokenizedRows(context.inputs["tokenized"]).vocabulary
    problems = list(_check_vocabulary(name, vocabulary(tokenizer), trained))
    if not tokenizer.chat_template:
        return [
            *problems,
            Problem("missing-template", f"{name} has no chat template", hint="repeat `merge`; it saves the template"),
        ]

    def render(prompt: Prompt) -> list[int]:
        return apply_template(prompt, tokenizer, params.template)

    problems += _limit(_compare_tokens(rows, render, tokenizer, name))
    problems += _limit(_check_begin_tokens(rows, render, tokenizer, name))
    if not params.untrained_end_of_turn:
        problems += _limit(check_end([(row.prompt.place, row.last) for row in rows], folder, tokenizer, name))
    if params.engine and rows and not problems:
        log = context.work / "engine.log"
        with run_tokenizer(folder, log, params.trust_remote_code, params.template) as tokenize:
            problems += _limit(_compare_tokens(rows, tokenize, tokenizer, f"the engine with {name}"))
    return problems


def _check_vocabulary(name: str, served: Mapping[str, Any], trained: Mapping[str, Any]) -> Iterator[Problem]:
    if served != trained:
        counts = f"{served['tokens']} tokens, but the model was trained with {trained['tokens']}"
        what = counts if served["tokens"] != trained["tokens"] else "other tokens than in training, in the same number"
        yield Problem(
            "parity", f"the tokenizer of {name} has {what}", hint="add tokens with `train.tokens` before training"
        )


def _compare_tokens(rows: Sequence[Row], tokens: Tokens, tokenizer: Any, name: str) -> Iterator[Problem]:
    for row in rows:
        ids = tokens(row.prompt)
        if ids != row.ids:
            place = next(
                (at for at, (before, after) in enumerate(zip(row.ids, ids, strict=False)) if before != after),
                min(len(row.ids), len(ids)),
            )
            yield Problem(
                "parity",
                f"{name} tokenizes the prompt differently than in training, from token {place + 1} on: "
                f"{_decode_part(ids, place, tokenizer)}",
                at=row.prompt.place,
                expected=_decode_part(row.ids, place, tokenizer),
                hint=TOOLS_HINT if row.prompt.tools and "engine" in name else HINT,
            )


def _decode_part(ids: Sequence[int], place: int, tokenizer: Any) -> str:
    part = ids[max(0, place - CONTEXT) : place + CONTEXT]
    return " ".join(repr(tokenizer.decode([token])) for token in part) + (" …" if place + CONTEXT < len(ids) else "")


def _check_begin_tokens(rows: Sequence[Row], tokens: Tokens, tokenizer: Any, name: str) -> Iterator[Problem]:
    begin = tokenizer.bos_token_id
    for row in rows:
        for use, ids in (("trained", row.ids), ("served", tokens(row.prompt))):
            if begin is not None and ids[:2] == [begin, begin]:
                yield Problem(
                    "parity",
                    f"with {name}, a {use} prompt begins with two begin tokens {tokenizer.bos_token!r}",
                    at=row.prompt.place,
                    hint="remove the begin token from the template, because the tokenizer adds it",
                )


def _limit(problems: Iterator[Problem]) -> list[Problem]:
    shown = list(problems)
    if len(shown) <= MOST_SHOWN:
        return shown
    return [*shown[:MOST_SHOWN], Problem("parity", f"and {len(shown) - MOST_SHOWN} more rows with the same error")]
