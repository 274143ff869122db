"""Tries parsers of answers on chat templates, and prints the problems of each case and the names that vLLM knows.

server_cpu/bin/python parse_answers.py PROJECT MODEL CASES.json MARKS

CASES.json: {case: {"template": …, "engine": …, "tool_parser": …, …}}
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    project, model, cases, marks = (
        sys.argv[1],
        sys.argv[2],
        json.loads(Path(sys.argv[3]).read_text()),
        re.compile(sys.argv[4]),
    )
    sys.path[:0] = [f"{project}/runner", f"{project}/plugins"]
    found = {name: problems_of(model, case, marks) for name, case in cases.items()}
    print(json.dumps({"cases": found, "names": registered()}))


def problems_of(model: str, case: dict[str, Any], marks: re.Pattern[str]) -> list[str]:
    from transformers import AutoTokenizer

    from ftrun_plugins.parity.answers import find_problems
    from ftrun_plugins.parity.params import Params

    template = case.pop("template")
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.add_tokens(sorted(set(marks.findall(template))), special_tokens=True)
    tokenizer.chat_template = template
    warnings: list[str] = []
    problems = find_problems(Params(what="answers", trust_remote_code=False, **case), tokenizer, warnings.append)
    return [f"{problem.what} | {problem.hint}" for problem in problems] + warnings


def registered() -> dict[str, list[str]]:
    try:
        from vllm.reasoning import ReasoningParserManager
        from vllm.tool_parsers import ToolParserManager
    except ImportError:
        return {}
    return {
        "tools": sorted(ToolParserManager.list_registered()),
        "reasoning": sorted(ReasoningParserManager.list_registered()),
    }


if __name__ == "__main__":
    main()
