"""Answers that call tools, and what may differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ftrun.api.evaluators import Answer
from ftrun.api.tool_calls import ToolCall
from ftrun_plugins.evaluation.metrics.tool_call import ToolCallMatch


def call(tool: str, /, **arguments: Any) -> ToolCall:
    return ToolCall(tool, arguments)


FIND, OPEN = call("find", name="Ada", most=3), call("open", doors=[1, {"side": "lee"}])


def score(calls: Sequence[ToolCall] | None, expected: Sequence[ToolCall], **options: Any) -> tuple[float, str | None]:
    answer = Answer("", 3, True, None if calls is None else tuple(calls), tuple(expected))
    return ToolCallMatch().score(answer, "", {}, ToolCallMatch.Options(**options))


@pytest.mark.parametrize(
    ("calls", "expected", "options", "right"),
    [
        ([FIND], [call("find", most=3.0, name="Ada")], {}, True),  # another order of keys, and 3 as a float
        ([call("find", name="Ada", most=True)], [call("find", name="Ada", most=1)], {}, False),
        ([call("find", name="Ada")], [FIND], {}, False),
        ([call("find", name="Ada", most=3, more=1)], [FIND], {}, False),
        ([call("fetch", name="Ada", most=3)], [FIND], {}, False),
        ([call("find", name="ada ", most=3)], [FIND], {}, False),
        ([call("find", name="ada ", most=3)], [FIND], {"ignore_case": True}, True),
        ([call("find", name="Bob")], [FIND], {"arguments": False}, True),
        ([OPEN, FIND], [FIND, OPEN], {}, True),
        ([OPEN, FIND], [FIND, OPEN], {"ignore_order": False}, False),
        ([FIND, FIND], [FIND, OPEN], {}, False),
        ([FIND], [FIND, FIND], {}, False),
        ([call("open", doors=[1, {"side": "luv"}])], [OPEN], {}, False),
        ([], [], {}, True),
        ([], [FIND], {}, False),
        ([FIND], [], {}, False),
    ],
)
def test_scores(calls: list[ToolCall], expected: list[ToolCall], options: dict[str, bool], right: bool) -> None:
    found, reason = score(calls, expected, **options)
    assert (found, reason is None) == (float(right), right)


def test_the_first_difference_is_named() -> None:
    assert "'most'" in str(score([call("find", name="Ada", most=4)], [FIND])[1])
    assert "'fetch'" in str(score([call("fetch")], [FIND])[1])


def test_a_format_that_is_not_known_leaves_the_row_unscored() -> None:
    with pytest.raises(ValueError, match="format"):
        score(None, [FIND])
