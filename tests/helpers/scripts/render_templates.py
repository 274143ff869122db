"""Renders conversations with chat templates by ftrun's tokenizing and by the tokenizer itself, and compares.

    trainer/bin/python render_templates.py ASKED.json

ASKED.json names the folders of ftrun's packages, a tokenizer, a folder to work in, and templates: each a file, the
token that ends a turn, and further tokens. Prints for each template and conversation whether tokens and trained parts
are as they must be. What must be trained is found another way than the trainer finds it: from where the answer's text
begins, or for a call from where the rendering of all before it ends, to the first end of turn behind it.
"""

from __future__ import annotations

import copy
import json
import logging
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ASKED = json.loads(Path(sys.argv[1]).read_text())
sys.path += ASKED["packages"]
sys.argv = sys.argv[:1]  # axolotl reads the command line, too

from ftrun.api import template_limits  # noqa: E402
from ftrun.api.errors import InvalidInput  # noqa: E402
from ftrun_plugins.axolotl.tokenize.params import Params  # noqa: E402
from ftrun_plugins.axolotl.tokenize.row_tokenizer import RowTokenizer  # noqa: E402
from ftrun_plugins.axolotl.tokenize.tokens import IGNORED  # noqa: E402

SYSTEM = {"role": "system", "content": "Be brief."}
TURNS = [
    {"role": "user", "content": "Weather in Ulm?"},
    {"role": "assistant", "content": "Rain, 12 degrees.\nBring a coat."},
    {"role": "user", "content": "And in Bonn?"},
    {"role": "assistant", "content": "Sun over Bonn"},
]
SPACED = [
    {"role": "user", "content": "Weather in Ulm?"},
    {"role": "assistant", "content": "  Rain, 12 degrees.\n"},
    {"role": "user", "content": "And in Bonn?"},
    {"role": "assistant", "content": "\nSun over Bonn "},
]
THINKING = [
    {"role": "user", "content": "Weather in Ulm?"},
    {"role": "assistant", "content": "Rain, 12 degrees.", "reasoning_content": "Ulm is wet in autumn."},
    {"role": "user", "content": "And in Bonn?"},
    {"role": "assistant", "content": "Sun over Bonn", "reasoning_content": "Bonn lies further north."},
]
CALL = {"id": "call00001", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Ulm"}'}}
CALLING = [
    {"role": "user", "content": "Weather in Ulm?"},
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call00001", "content": "rain"},
    {"role": "assistant", "content": "It rains in Ulm."},
]
TOOL = {
    "name": "weather",
    "description": "The weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string", "description": "its name"}}},
}
CONVERSATIONS: dict[str, dict[str, Any]] = {
    "system": {"messages": [SYSTEM, *TURNS]},
    "turns": {"messages": TURNS},
    "one turn": {"messages": [TURNS[0], {**TURNS[1], "train": False}, *TURNS[2:]]},
    "spaces": {"messages": SPACED},
    "thoughts": {"messages": THINKING},
    "tools": {"messages": CALLING, "tools": [{"type": "function", "function": TOOL}]},
}


def main() -> None:
    template_limits.SECONDS = ASKED.get("seconds", template_limits.SECONDS)
    logging.disable()
    print(json.dumps({asked["name"]: _compare(asked) for asked in ASKED["templates"]}))


def _compare(asked: dict[str, Any]) -> dict[str, str]:
    text = Path(asked["file"]).read_text()
    trainer = {"sequence_len": 4096, "chat_template": "jinja", "chat_template_jinja": text, **asked["trainer"]}
    params = Params(
        trainer=trainer,
        dataset={},
        trust_remote_code=False,
        max_cut=0,
        untrained_end_of_turn=False,
        on_template_loss="report",
        on_prompt_mismatch="stop",
        packed_split=None,
    )
    work = Path(ASKED["work"]) / asked["name"]
    context = SimpleNamespace(work=work, inputs={"model": Path(ASKED["tokenizer"])})
    try:
        tokenizing = RowTokenizer(params, "chat", context)  # type: ignore[arg-type]
    except InvalidInput as refused:
        problem = refused.problems[0]
        return dict.fromkeys(CONVERSATIONS, f"refused: {problem.what}; hint: {problem.hint}")
    except Exception as error:
        return dict.fromkeys(CONVERSATIONS, f"not loaded: {_short(error)}")
    ends = [*asked["trainer"].get("eot_tokens", ()), tokenizing.tokenizer.eos_token]
    return {name: _guarded(tokenizing, each, text, ends) for name, each in CONVERSATIONS.items()}


def _guarded(tokenizing: RowTokenizer, example: dict[str, Any], template: str, ends: list[str]) -> str:
    try:
        return _outcome(tokenizing, example, template, ends)
    except Exception as error:
        traceback.print_exc()
        return f"raised: {_short(error)}"


def _outcome(tokenizing: RowTokenizer, example: dict[str, Any], template: str, ends: list[str]) -> str:
    tokenizer = tokenizing.tokenizer
    messages = copy.deepcopy(example["messages"])
    for call in (call for message in messages for call in message.get("tool_calls", ())):
        call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    given = {"tools": example.get("tools"), "chat_template": template}
    tokens = tokenizing.tokenize({"place": "x:1", **copy.deepcopy(example)})
    if tokens.fault:
        return f"refused: {tokens.fault}"
    expected = tokenizer.apply_chat_template(messages, return_dict=False, **given)
    if tokens.ids != expected:
        return f"other tokens: {tokenizer.decode(tokens.ids)!r} instead of {tokenizer.decode(expected)!r}"
    if problem := tokenizing._find_problem(tokens):
        return f"refused: {problem}"
    regions = _regions(
        lambda *turns, **more: tokenizer.apply_chat_template(*turns, tokenize=False, **given, **more), messages, ends
    )
    rendered = tokenizer.apply_chat_template(messages, tokenize=False, **given)
    outcome = _compare_labels(tokenizer, tokens, rendered, regions, loose=example["messages"] in (SPACED, THINKING))
    return f"{outcome} without {' and '.join(sorted(tokens.losses))}" if tokens.losses else outcome


def _compare_labels(tokenizer: Any, tokens: Any, rendered: str, regions: list[tuple[int, int]], loose: bool) -> str:
    encoded = tokenizer(rendered, add_special_tokens=False, return_offsets_mapping=True)
    assert encoded["input_ids"] == tokens.ids
    offsets = encoded["offset_mapping"]
    trained = [any(start < e and s < stop for start, stop in regions) for s, e in offsets]
    if trained == [label != IGNORED for label in tokens.labels]:
        return "equal"
    # Beside trimmed and left out texts, which turn a line end belongs to is a matter of view.
    same_place = [
        not rendered[s:e].strip() or at == (label != IGNORED)
        for at, label, (s, e) in zip(trained, tokens.labels, offsets, strict=True)
    ]
    if loose and all(same_place):
        return "equal"
    got = [number for number in tokens.labels if number != IGNORED]
    want = [number for number, is_trained in zip(tokens.ids, trained, strict=True) if is_trained]
    return f"other labels: {tokenizer.decode(got)!r} instead of {tokenizer.decode(want)!r}"


def _regions(render: Callable[..., str], messages: list[dict[str, Any]], ends: list[str]) -> list[tuple[int, int]]:
    """From where to where the text is the assistant's: its words or calls, and each end of turn behind them."""
    rendered = render(messages)
    found, place = [], 0
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        if message.get("train") is False:
            place = rendered.index(message["content"], place) + len(message["content"])
            continue
        thoughts = message.get("reasoning_content")
        if "tool_calls" in message or (thoughts and thoughts in rendered[place:]):
            start = _begin(rendered, render(messages[:index], add_generation_prompt=True))
            stop = min(at for at in (rendered.find(end, start) for end in ends) if at >= 0)
        else:
            content = message["content"] if message["content"] in rendered[place:] else message["content"].strip()
            start = rendered.index(content, place)
            stop = start + len(content)
        found.append((start, stop))
        pattern = rf"\s*({'|'.join(map(re.escape, ends))})"
        while match := re.compile(pattern).match(rendered, stop):
            found.append(match.span(1))
            stop = match.end()
        place = stop
    return found


def _begin(rendered: str, before: str) -> int:
    """Where a call begins: behind all that was asked, and behind the empty thoughts that some templates write there."""
    same = next((at for at, (a, b) in enumerate(zip(rendered, before, strict=False)) if a != b), len(before))
    start = same if same == len(before) else rendered.rindex("\n", 0, same) + 1
    thoughts = re.compile(r"<think>\s*</think>").match(rendered, start)
    return thoughts.end() if thoughts else start


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:300]}"


if __name__ == "__main__":
    main()
