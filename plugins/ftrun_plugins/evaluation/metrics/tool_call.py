"""Evaluator `tool_call`: answers that have to call the tools that the reference calls, with the same arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ftrun.api.evaluators import Answer
from ftrun.api.rows import Options as BaseOptions
from ftrun.api.tool_calls import ToolCall


class ToolCallMatch:
    """Fraction of answers with the calls of the reference, and no other. No call is right if the reference has none."""

    name: ClassVar[str] = "tool_call"
    needs: ClassVar[str] = "answers"
    higher_is_better: ClassVar[bool] = True

    class Options(BaseOptions):
        """Parts of calls to compare."""

        arguments: bool = True
        """Compare the arguments of calls, and not only their names."""
        ignore_order: bool = True
        """Ignore the order of several calls in one answer."""
        ignore_case: bool = False
        """Ignore the case of letters and the whitespace at both ends of texts in arguments."""

    def score(self, answer: Answer, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        """Return 1.0, or 0.0 and the first difference.

        Raises:
            ValueError: If ftrun does not know the format in which the model writes calls.
        """
        if answer.calls is None:
            raise ValueError("the model writes calls of tools in a format that ftrun cannot read")
        reason = _find_difference(answer.calls, answer.reference_calls, options)
        return float(reason is None), reason


def _find_difference(calls: Sequence[ToolCall], expected: Sequence[ToolCall], options: Any) -> str | None:
    if len(calls) != len(expected):
        return f"has {len(calls)} calls, not {len(expected)}"
    rest = list(calls)
    for wanted in expected:
        candidates = rest if options.ignore_order else rest[:1]
        found = next((call for call in candidates if _is_same(call, wanted, options)), None)
        if found is None:
            return _describe(wanted, candidates, options)
        rest.remove(found)
    return None


def _describe(wanted: ToolCall, candidates: Sequence[ToolCall], options: Any) -> str:
    """Return why no call is the wanted one."""
    same_name = next((call for call in candidates if call.name == wanted.name), None)
    if same_name is None:
        return f"does not call {wanted.name!r}, but {candidates[0].name!r}"
    given = {**same_name.arguments}
    names = sorted({*given, *wanted.arguments})
    differing = next((name for name in names if not _has_same(name, given, wanted.arguments, options)), "")
    return f"calls {wanted.name!r} with another value of {differing!r}"


def _has_same(name: str, given: Mapping[str, Any], wanted: Mapping[str, Any], options: Any) -> bool:
    return name in given and name in wanted and _is_equal(given[name], wanted[name], options.ignore_case)


def _is_same(call: ToolCall, wanted: ToolCall, options: Any) -> bool:
    if call.name != wanted.name:
        return False
    return not options.arguments or _is_equal(dict(call.arguments), dict(wanted.arguments), options.ignore_case)


def _is_equal(value: Any, wanted: Any, ignore_case: bool) -> bool:
    """Return whether two JSON values are equal. 1 equals 1.0, but not true."""
    if isinstance(value, dict) and isinstance(wanted, dict):
        return value.keys() == wanted.keys() and all(_is_equal(value[key], wanted[key], ignore_case) for key in value)
    if isinstance(value, list) and isinstance(wanted, list):
        pairs = zip(value, wanted, strict=False)
        return len(value) == len(wanted) and all(_is_equal(one, other, ignore_case) for one, other in pairs)
    if isinstance(value, str) and isinstance(wanted, str) and ignore_case:
        return value.strip().casefold() == wanted.strip().casefold()
    return isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)
