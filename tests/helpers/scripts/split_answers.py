"""Parses answers as the engine `transformers` does, whole and in pieces, and prints the parts of each.

trainer/bin/python split_answers.py PROJECT CASES.json

CASES.json: [[tool parser, reasoning parser, prompt, answer], …]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ENDS = ["<|im_end|>", "</s>", "<|eot_id|>", "<tool_call>"]


def main() -> None:
    project, cases = sys.argv[1], json.loads(Path(sys.argv[2]).read_text())
    sys.path[:0] = [f"{project}/runner", f"{project}/plugins"]
    print(json.dumps([[split(*case, size) for size in (len(case[-1]), 1, 7)] for case in cases]))


def split(tools: str | None, thoughts: str | None, prompt: str, answer: str, size: int) -> dict[str, Any]:
    from transformers.utils.chat_parsing.response_parser import ResponseParser

    from ftrun_plugins.serving.answer_parser import AnswerFormat, AnswerParser, collect

    answers = AnswerFormat.of(tools, thoughts)
    parser = AnswerParser(ResponseParser(answers.response_template(ENDS), prefix=prompt), answers, ENDS)
    events = [event for start in range(0, len(answer), size) for event in parser.feed(answer[start : start + size])]
    return collect([*events, *parser.finalize()[1]])


if __name__ == "__main__":
    main()
