"""Calls of tools in the texts of models."""

from __future__ import annotations

import pytest

from ftrun_plugins.answer_formats.calls import Call, parse_calls

CALL = '{"name": "porch", "arguments": {"side": "leeward"}}'
PORCH, EMPTY = Call("porch", '{"side": "leeward"}'), Call("empty", "{}")


@pytest.mark.parametrize(
    ("call_format", "text", "calls"),
    [
        ("tagged", f"\n{CALL}\n", [PORCH]),
        ("tagged", '{"name": "porch", "arguments": {"side": "läd"}}', [Call("porch", '{"side": "läd"}')]),
        ("tagged", CALL[:-1], None),
        ("tagged", "", None),
        ("tagged", "[]", None),
        ("tagged", '{"name": "porch"}', None),
        ("tagged", '{"name": 5, "arguments": {}}', None),
        ("tagged", '{"name": "porch", "arguments": "{}"}', None),
        ("tagged", "[" * 100_000, None),
        ("bare", '{"name": "porch", "parameters": {"side": "leeward"}}', [PORCH]),
        ("bare", f'{CALL}; {{"name": "empty", "parameters": {{}}}}', [PORCH, EMPTY]),
        ("bare", f"{CALL} and more", None),
        ("bare", '{"answer": 5}', None),
        ("listed", f' [{CALL}, {{"name": "empty", "arguments": {{}}, "id": "abc"}}]', [PORCH, EMPTY]),
        ("listed", 'porch[ARGS]{"side": "leeward"}[TOOL_CALLS]empty[ARGS]{}', [PORCH, EMPTY]),
        ("listed", 'porch[CALL_ID]a1[ARGS]{"side": "leeward"}', [PORCH]),
        ("listed", 'porch{"side": "leeward"}', [PORCH]),
        ("listed", "porch", None),
        ("listed", "[1]", None),
        ("listed", " ", None),
    ],
)
def test_calls(call_format: str, text: str, calls: list[Call] | None) -> None:
    assert parse_calls(call_format, text) == calls
