"""Compares prompts token by token: as the trainer made them, by the saved tokenizer, and by the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.api.artifacts import SPLITS, FormattedRows, TokenizedRows
from ftrun.api.errors import Problem
from ftrun.api.tokenizers import vocabulary
from ftrun_plugins.evaluation.prompts import Prompt, for_template, prompts
from ftrun_plugins.parity.engine import tokenizing
from ftrun_plugins.parity.stops import check_end
from ftrun_plugins.serving.lora import list_obstacles, read_adapter

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.parity.params import Params

IGNORED = -100
MOST_SHOWN = 3  # rows with the same kind of fault
AROUND = 4  # tokens shown on each side of a difference
NO_ROWS = "every row is longer than sequence_len and cut"

Tokens = Callable[[Prompt], list[int]]


@dataclass(frozen=True)
class Row:
    """A prompt with its token ids as they were trained on, and the last token that was trained."""

    prompt: Prompt
    ids: list[int]
    last: int


def compare_prompts(params: Params, context: StageContext) -> tuple[dict[str, Any], list[Problem]]:
    """What was compared, and what differs; rows without a template have nothing to compare."""
    inputs = context.inputs
    data, tokenized = FormattedRows(inputs["data"]), TokenizedRows(inputs["tokenized"])
    kind = data.kind
    if kind != "chat":
        return {"rows": 0, "why": f"the rows are {kind}, and no template is applied when they are served"}, []
    rows = list(_rows(tokenized, data))
    if not rows:
        context.report.warning(f"no prompt is compared: {NO_ROWS}")
    problems: list[Problem] = []
    for name, folder in _served(inputs).items():
        context.check_stop()
        context.report.progress(0, None, f"rows, {name}")
        problems += _check(name, folder, rows, params, context)
    tokens = sum(len(row.ids) for row in rows)
    found = {"rows": len(rows), "tokens": tokens, "engine": "vllm" if params.engine and rows else "none"}
    return found if rows else {**found, "why": NO_ROWS}, problems


def _served(inputs: Mapping[str, Path]) -> dict[str, Path]:
    """Folders whose tokenizer a server of this run may load."""
    found = {"the merged model": inputs["merged"]} if "merged" in inputs else {}
    adapter = read_adapter(inputs["train"])
    if not adapter:
        return {"the trained model": inputs["train"]}
    template = inputs["model"] / TokenizedRows.TEMPLATE
    trained = (TokenizedRows(inputs["tokenized"]).template or "").strip()
    same = template.exists() and template.read_text().strip() == trained
    if not found or (same and not list(list_obstacles(adapter))):
        found["the base model under the adapter"] = inputs["model"]
    return found


def _rows(tokenized: TokenizedRows, data: FormattedRows) -> Iterator[Row]:
    """Rows of the sample that `tokenize` drew, with the examples that they were made of."""
    sample = list(tokenized.sample())
    for split in SPLITS:
        wanted = {row["index"]: row for row in sample if row["split"] == split}
        for prompt in prompts(data, split) if wanted else ():
            if prompt.index in wanted:
                row = wanted[prompt.index]
                start = _last_turn(row["labels"])
                yield Row(prompt, row["ids"][:start], next(one for one in reversed(row["labels"]) if one != IGNORED))


def _last_turn(labels: Sequence[int]) -> int:
    """Where the last run of trained tokens begins."""
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
            Problem(
                "missing-template", f"{name} has no chat template", hint="merge again: the template is saved with it"
            ),
        ]
    problems += _bounded(_first_differences(rows, lambda prompt: _by_template(prompt, tokenizer), tokenizer, name))
    problems += _bounded(_doubled_begin(rows, tokenizer, name))
    if not params.untrained_end_of_turn:
        problems += _bounded(check_end([(row.prompt.place, row.last) for row in rows], folder, tokenizer, name))
    if params.engine and rows and not problems:
        log = context.work / "engine.log"
        with tokenizing(folder, log, params.trust_remote_code) as by_engine:
            problems += _bounded(_first_differences(rows, by_engine, tokenizer, f"the engine with {name}"))
    return problems


def _by_template(prompt: Prompt, tokenizer: Any) -> list[int]:
    ids: list[int] = tokenizer.apply_chat_template(
        for_template(prompt.messages), tools=list(prompt.tools) or None, add_generation_prompt=True, return_dict=False
    )
    return ids


def _check_vocabulary(name: str, served: Mapping[str, Any], trained: Mapping[str, Any]) -> Iterator[Problem]:
    if served != trained:
        counts = f"{served['tokens']} tokens, and it was trained with {trained['tokens']}"
        what = counts if served["tokens"] != trained["tokens"] else "as many tokens as in training, but others"
        yield Problem(
            "parity", f"the tokenizer of {name} has {what}", hint="add tokens by train.tokens, before training"
        )


def _first_differences(rows: Sequence[Row], tokens: Tokens, tokenizer: Any, name: str) -> Iterator[Problem]:
    for row in rows:
        ids = tokens(row.prompt)
        if ids != row.ids:
            place = next(
                (at for at, (one, other) in enumerate(zip(row.ids, ids, strict=False)) if one != other),
                min(len(row.ids), len(ids)),
            )
            yield Problem(
                "parity",
                f"{name} reads the prompt otherwise than it was trained, from token {place + 1} on: "
                f"{_shown(ids, place, tokenizer)}",
                at=row.prompt.place,
                expected=_shown(row.ids, place, tokenizer),
                hint="serve the template that was trained: train.chat_template, or the model's own",
            )


def _shown(ids: Sequence[int], place: int, tokenizer: Any) -> str:
    part = ids[max(0, place - AROUND) : place + AROUND]
    return " ".join(repr(tokenizer.decode([one])) for one in part) + (" …" if place + AROUND < len(ids) else "")


def _doubled_begin(rows: Sequence[Row], tokenizer: Any, name: str) -> Iterator[Problem]:
    begin = tokenizer.bos_token_id
    for row in rows:
        for how, ids in (("trained", row.ids), ("served", _by_template(row.prompt, tokenizer))):
            if begin is not None and ids[:2] == [begin, begin]:
                yield Problem(
                    "parity",
                    f"a prompt is {how} with two begin tokens {tokenizer.bos_token!r} by {name}",
                    at=row.prompt.place,
                    hint="take the begin token out of the template, for the tokenizer adds it",
                )


def _bounded(problems: Iterator[Problem]) -> list[Problem]:
    found = list(problems)
    if len(found) <= MOST_SHOWN:
        return found
    return [*found[:MOST_SHOWN], Problem("parity", f"and {len(found) - MOST_SHOWN} more rows like these")]
