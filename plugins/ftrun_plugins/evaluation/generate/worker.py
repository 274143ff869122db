"""Generation of answers to the held-out prompts. Each answer is stored once it is complete."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ftrun.api.artifacts import Answers, FormattedRows
from ftrun.api.prompts import Prompt, apply_template, prompts
from ftrun.api.tokenizers import adds_begin
from ftrun_plugins.evaluation.generate import transformers_engine, vllm_engine
from ftrun_plugins.evaluation.generate.answer_text import AnswerReader, AnswerText
from ftrun_plugins.evaluation.model_loading import load_tokenizer, set_missing_template
from ftrun_plugins.evaluation.resumable_jsonl import ResumableJsonl
from ftrun_plugins.evaluation.row_sample import choose_rows

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.evaluation.generate.params import Params

ENGINES = {"vllm": vllm_engine.generate_answers, "transformers": transformers_engine.generate_answers}


def generate(params: Params, context: StageContext) -> None:
    """Write `predictions.jsonl` in the order of the held-out rows. Continues an earlier attempt that was killed."""
    data = FormattedRows(context.inputs["data"])
    chosen = choose_rows(data, params.rows, params.seed)
    selected = [prompt for prompt in prompts(data, "held_out") if chosen is None or prompt.index in chosen]
    tokenizer = load_tokenizer(context.inputs, params.trust_remote_code)
    set_missing_template(tokenizer, context.inputs)
    encoded = {prompt.index: encode(prompt, tokenizer, params.template) for prompt in selected}
    by_index = {prompt.index: prompt for prompt in selected}
    results = ResumableJsonl(context.work / Answers.ROWS)
    reader = AnswerReader(tokenizer, params.tool_parser)
    waiting = {index: ids for index, ids in encoded.items() if index not in results.lines}
    for answer in ENGINES[params.engine](waiting, tokenizer, params, context) if waiting else ():
        prompt = by_index[answer.index]
        read = AnswerText("", None, answer.error) if answer.error else reader.read(answer.ids, prompt)
        results.add(
            {
                "index": prompt.index,
                "place": prompt.place,
                "reference": prompt.reference,
                "prediction": read.text,
                "calls": None if read.calls is None else [call.as_dict() for call in read.calls],
                "reference_calls": [call.as_dict() for call in prompt.calls],
                "error": read.error,
                "tokens": len(answer.ids),
                "stopped": answer.stopped,
                "ids": answer.ids,
                "prompt_ids": encoded[prompt.index],
            }
        )
        context.report.progress(len(results.lines), len(selected), "answers")
        context.check_stop()
    with (context.output / Answers.ROWS).open("w") as file:
        file.writelines(
            json.dumps(results.lines[prompt.index], ensure_ascii=False, allow_nan=False) + "\n" for prompt in selected
        )
    context.report.metric(
        answers=len(selected), tokens=sum(results.lines[prompt.index]["tokens"] for prompt in selected)
    )


def encode(prompt: Prompt, tokenizer: Any, template: Mapping[str, Any]) -> list[int]:
    """Return the token ids of a prompt: rendered by the chat template, or as plain text after the begin token.

    Args:
        prompt: The prompt.
        tokenizer: The tokenizer of the model.
        template: Variables of the chat template.
    """
    if prompt.messages:
        return apply_template(prompt, tokenizer, template)
    # The trainer also tokenizes each segment separately.
    pieces = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in prompt.segments]
    begin = [tokenizer.bos_token_id] if adds_begin(tokenizer) else []
    return begin + [token for piece in pieces for token in piece]
