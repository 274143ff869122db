"""Comparison of prompts token by token: from the trainer, from the saved tokenizer, and from the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.api.artifacts import SPLITS, FormattedRows, TokenizedRows
from ftrun.api.errors import Problem
from ftrun.api.prompt_comparison import TrainedPrompt, check_begin_tokens, compare_tokens, limit, trained_prompt
from ftrun.api.prompts import Prompt, apply_template, prompts
from ftrun.api.tokenizers import vocabulary
from ftrun_plugins.parity.engine import run_tokenizer
from ftrun_plugins.parity.stops import check_end
from ftrun_plugins.serving.lora import list_obstacles, read_adapter

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.parity.params import Params

NO_ROWS = "every row is longer than sequence_len and was cut"

HINT = (
    "serve the template of the training: `train.chat_template`, or the template of the model; "
    "variables that it needs belong in `model.template`, such as model.template.enable_thinking=false"
)
TOOLS_HINT = (
    "vLLM writes tools with `name`, `description` and `parameters` in this order, with null for a missing one; "
    "write them so in the rows"
)


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


def _read_rows(tokenized: TokenizedRows, data: FormattedRows) -> Iterator[TrainedPrompt]:
    """Yield the rows of the sample that `tokenize` drew, with the prompts of their examples."""
    sample = list(tokenized.sample())
    for split in SPLITS:
        wanted = {row["index"]: row for row in sample if row["split"] == split}
        for prompt in prompts(data, split) if wanted else ():
            if prompt.index in wanted:
                row = wanted[prompt.index]
                yield trained_prompt(prompt, row["ids"], row["labels"])


def _check(
    name: str, folder: Path, rows: Sequence[TrainedPrompt], params: Params, context: StageContext
) -> list[Problem]:
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

    differences = limit(compare_tokens(rows, render, tokenizer, name, _give_hint))
    problems += limit(check_begin_tokens(rows, render, tokenizer, name))
    if not params.untrained_end_of_turn:
        problems += limit(check_end([(row.prompt.place, row.last) for row in rows], folder, tokenizer, name))
    if params.engine and rows and not problems and not differences:
        log = context.work / "engine.log"
        with run_tokenizer(folder, log, params.trust_remote_code, params.template) as tokenize:
            engine = f"the engine with {name}"
            differences += limit(compare_tokens(rows, tokenize, tokenizer, engine, _give_engine_hint))
    if params.on_prompt_mismatch == "report":
        for difference in differences:
            context.report.warning(difference.what + (f", at {difference.at}" if difference.at else ""))
        return problems
    return [*problems, *differences]


def _give_hint(_: Prompt) -> str:
    return HINT


def _give_engine_hint(prompt: Prompt) -> str:
    return TOOLS_HINT if prompt.tools else HINT


def _check_vocabulary(name: str, served: Mapping[str, Any], trained: Mapping[str, Any]) -> Iterator[Problem]:
    if served != trained:
        counts = f"{served['tokens']} tokens, but the model was trained with {trained['tokens']}"
        what = counts if served["tokens"] != trained["tokens"] else "other tokens than in training, in the same number"
        yield Problem(
            "parity", f"the tokenizer of {name} has {what}", hint="add tokens with `train.tokens` before training"
        )
