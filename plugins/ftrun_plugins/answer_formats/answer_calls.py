"""Separation of the calls of tools from the text of a complete answer.

Standard library only, because it runs in the environments of the engines.
"""

from __future__ import annotations

import re

from ftrun_plugins.answer_formats.calls import CLOSE, LISTED, OPEN, Call, parse_calls

THOUGHTS_END = "</think>"
BARE = re.compile(r"\s*+(?:<\|python_tag\|>\s*+)?(?=\{)")  # possessive, so that the time is linear


def split_calls(call_format: str, answer: str) -> tuple[str, list[Call]]:
    """Return the text and the calls of an answer. Malformed calls stay text.

    Args:
        call_format: The format of calls, such as `tagged`.
        answer: The answer with its special tokens, without the end of the turn.
    """
    if call_format == "tagged":
        return _split_tagged(answer)
    begin = answer.rfind(THOUGHTS_END) + len(THOUGHTS_END) if THOUGHTS_END in answer else 0
    start = BARE.match(answer, begin) if call_format == "bare" else re.compile(re.escape(LISTED)).search(answer, begin)
    if start is None:
        return answer, []
    body = answer[start.end() :] if call_format == "bare" else answer[start.start() :]
    calls = parse_calls(call_format, body)
    return (answer, []) if calls is None else (answer[: start.start()].strip(), calls)


def _split_tagged(answer: str) -> tuple[str, list[Call]]:
    text, calls, position = list[str](), list[Call](), 0
    while (start := answer.find(OPEN, position)) >= 0 and (end := answer.find(CLOSE, start)) >= 0:
        found = parse_calls("tagged", answer[start + len(OPEN) : end])
        end += len(CLOSE)
        text.append(answer[position : end if found is None else start])
        calls.extend(found or ())
        position = end
    rest = "".join([*text, answer[position:]])
    return (rest.strip() if calls else answer), calls
