"""Asks a model the held-out prompts, by whichever engine, and keeps each answer as soon as it is given."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from ftrun.api.artifacts import Answers, FormattedRows
from ftrun.api.tokenizers import adds_begin
from ftrun_plugins.evaluation.generate import transformers_engine, vllm_engine
from ftrun_plugins.evaluation.model_loading import give_template, load_tokenizer
from ftrun_plugins.evaluation.prompts import Prompt, for_template, prompts
from ftrun_plugins.evaluation.resumable_jsonl import ResumableJsonl

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.evaluation.generate.params import Params

ENGINES = {"vllm": vllm_engine.answers, "transformers": transformers_engine.answers}


def generate(params: Params, context: StageContext) -> None:
    """Writes `predictions.jsonl`, in the order of the held-out rows; goes on where an earlier try was killed."""
    data = FormattedRows(context.inputs["data"])
    wanted = list(islice(prompts(data, "held_out"), params.rows))
    tokenizer = load_tokenizer(context.inputs, params.trust_remote_code)
    give_template(tokenizer, context.inputs)
    encoded = {prompt.index: encode(prompt, tokenizer) for prompt in wanted}
    by_index = {prompt.index: prompt for prompt in wanted}
    kept = ResumableJsonl(context.work / Answers.ROWS)
    waiting = {index: ids for index, ids in encoded.items() if index not in kept.found}
    for answer in ENGINES[params.engine](waiting, tokenizer, params, context) if waiting else ():
        prompt = by_index[answer.index]
        kept.add(
            {
                "index": prompt.index,
                "place": prompt.place,
                "reference": prompt.reference,
                "prediction": tokenizer.decode(answer.ids, skip_special_tokens=True),
                "tokens": len(answer.ids),
                "stopped": answer.stopped,
                "ids": answer.ids,
                "prompt_ids": encoded[prompt.index],
            }
        )
        context.report.progress(len(kept.found), len(wanted), "answers")
        context.check_stop()
    with (context.output / Answers.ROWS).open("w") as file:
        file.writelines(json.dumps(kept.found[prompt.index], ensure_ascii=False) + "\n" for prompt in wanted)
    context.report.metric(answers=len(wanted), tokens=sum(kept.found[prompt.index]["tokens"] for prompt in wanted))


def encode(prompt: Prompt, tokenizer: Any) -> list[int]:
    """Token ids of a prompt: by the chat template, or as plain text with the tokenizer's own begin token."""
    if prompt.messages:
        tools = list(prompt.tools) or None
        ids: list[int] = tokenizer.apply_chat_template(
            for_template(prompt.messages), tools=tools, add_generation_prompt=True, return_dict=False
        )
        return ids
    # segment by segment, as the trainer tokenizes them
    pieces = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in prompt.segments]
    begin = [tokenizer.bos_token_id] if adds_begin(tokenizer) else []
    return begin + [number for piece in pieces for number in piece]
