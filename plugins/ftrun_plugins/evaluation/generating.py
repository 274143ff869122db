"""Generates answers in batches with transformers; goes on after a kill where the last whole batch ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun_plugins.axolotl.special_tokens import adds_begin
from ftrun_plugins.evaluation.models import load_model, load_tokenizer
from ftrun_plugins.evaluation.prompts import Prompt, prompts

if TYPE_CHECKING:
    from ftrun.execute.context import StageContext
    from ftrun_plugins.evaluation.generate import Params

ANSWERS = "predictions.jsonl"


def generate(params: Params, context: StageContext) -> None:
    """Writes `predictions.jsonl`: one answer a line, in the order of the held-out rows."""
    import torch

    report = json.loads((context.inputs["data"] / "report.json").read_text())
    asked = list(islice(prompts(context.inputs["data"] / "held_out.jsonl", report["kind"]), params.rows))
    done = _done(context.work / ANSWERS)
    tokenizer = load_tokenizer(context.inputs, params.trust_remote_code)
    tokenizer.padding_side = "left"
    _give_template(tokenizer, params.chat_template)
    encoded = {prompt.index: encode(prompt, tokenizer) for prompt in asked}
    model = load_model(context.inputs, params.accelerator, params.trust_remote_code)
    torch.manual_seed(params.seed)
    # like lengths together: less padding. The batches are the same in a resumed call, for the order is
    waiting = sorted(asked, key=lambda prompt: (len(encoded[prompt.index]), prompt.index))
    with (context.work / ANSWERS).open("a") as file:
        for batch in _batches(waiting, params.batch_size):
            context.check_stop()
            context.report.progress(len(done), len(asked), "answers")
            if all(prompt.index in done for prompt in batch):
                continue
            for prompt, answer in zip(
                batch, _answers([encoded[prompt.index] for prompt in batch], model, tokenizer, params), strict=True
            ):
                done[prompt.index] = {
                    "index": prompt.index,
                    "place": prompt.place,
                    "reference": prompt.reference,
                    **answer,
                }
                file.write(json.dumps(done[prompt.index], ensure_ascii=False) + "\n")
            file.flush()
    with (context.output / ANSWERS).open("w") as file:
        file.writelines(json.dumps(done[prompt.index], ensure_ascii=False) + "\n" for prompt in asked)
    context.report.progress(len(asked), len(asked), "answers")
    context.report.metric(answers=len(asked), tokens=sum(done[prompt.index]["tokens"] for prompt in asked))


def _done(path: Path) -> dict[int, dict[str, Any]]:
    """Answers that an earlier try of the same call wrote; a line that it was killed in is given again."""
    found: dict[int, dict[str, Any]] = {}
    if path.exists():
        lines = path.read_bytes()
        whole = lines[: lines.rfind(b"\n") + 1]
        path.write_bytes(whole)
        for line in whole.splitlines():
            answer = json.loads(line)
            found[answer["index"]] = answer
    return found


def _batches(items: list[Prompt], size: int) -> Iterator[list[Prompt]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def encode(prompt: Prompt, tokenizer: Any) -> list[int]:
    """Token ids of a prompt: by the chat template, or as plain text with the tokenizer's own begin token."""
    if prompt.messages:
        tools = list(prompt.tools) or None
        ids: list[int] = tokenizer.apply_chat_template(
            list(prompt.messages), tools=tools, add_generation_prompt=True, return_dict=False
        )
        return ids
    # segment by segment, as the trainer tokenizes them
    pieces = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in prompt.segments]
    begin = [tokenizer.bos_token_id] if adds_begin(tokenizer) else []
    return begin + [number for piece in pieces for number in piece]


def _give_template(tokenizer: Any, name: str | None) -> None:
    """A model without a chat template is asked by the one that the recipe trains with."""
    if name and not tokenizer.chat_template:
        from axolotl.utils.chat_templates import get_chat_template

        tokenizer.chat_template = name if "{%" in name else get_chat_template(name)


def _answers(batch: list[list[int]], model: Any, tokenizer: Any, params: Params) -> Iterator[dict[str, Any]]:
    import torch

    longest = max(map(len, batch))
    ids = torch.tensor([[tokenizer.pad_token_id] * (longest - len(row)) + row for row in batch], device=model.device)
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in batch], device=model.device)
    sampling = (
        {"do_sample": True, "temperature": params.temperature, "top_p": params.top_p}
        if params.temperature
        else {"do_sample": False}
    )
    with torch.inference_mode():
        output = model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=params.max_new_tokens,
            pad_token_id=tokenizer.pad_token_id,
            **sampling,
        )
    ends = model.generation_config.eos_token_id
    stops = set(ends if isinstance(ends, list) else [ends]) | {tokenizer.eos_token_id}
    for row in output[:, longest:].tolist():
        length = next((place for place, number in enumerate(row) if number in stops), len(row))
        yield {
            "prediction": tokenizer.decode(row[:length], skip_special_tokens=True),
            "tokens": length,
            "stopped": length < len(row),
        }
