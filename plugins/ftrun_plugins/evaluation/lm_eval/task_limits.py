"""Limits of time and memory for templates and regular expressions of task files, which are programs that may never end.

The harness renders a template for each document, and applies filters and metrics with the regular expressions of the
task. The limits hold for the process, because the harness has no other place for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.template_limits import BYTES, STUCK, exit_if_stuck
from ftrun.utils.limits import TimeLimitError, memory_limit, time_limit

SECONDS = 60.0  # for a template or the metrics of one document, which usually take a millisecond
SECONDS_PER_ANSWER = 0.05  # in addition, for filters, which get the answers of all documents at once


def limit_tasks() -> None:
    """Make the harness raise InvalidInput if a part of a task takes too much."""
    from lm_eval import utils
    from lm_eval.api.filter import FilterEnsemble
    from lm_eval.api.task import ConfigurableTask

    utils.apply_template = _limit(utils.apply_template, lambda arguments: "a template")
    FilterEnsemble.apply = _limit(FilterEnsemble.apply, _name_filter, lambda arguments: len(arguments[1]))
    ConfigurableTask.process_results = _limit(ConfigurableTask.process_results, lambda arguments: "a metric")


def _limit(
    function: Callable[..., Any],
    describe: Callable[[tuple[Any, ...]], str],
    count: Callable[[tuple[Any, ...]], int] = lambda arguments: 0,
) -> Callable[..., Any]:
    """Return a function with limits.

    Args:
        function: The function.
        describe: Returns what the function runs, from its arguments.
        count: Returns the number of answers that it gets, from its arguments.
    """

    def limited(*arguments: Any, **options: Any) -> Any:
        with _report_excess(describe(arguments), SECONDS + SECONDS_PER_ANSWER * count(arguments)):
            return function(*arguments, **options)

    return limited


def _name_filter(arguments: tuple[Any, ...]) -> str:
    return f"the filter `{arguments[0].name}`"


@contextmanager
def _report_excess(what: str, seconds: float) -> Iterator[None]:
    """Report what does not end in time, or takes too much memory.

    Raises:
        InvalidInput: If that happens in the block.
    """
    try:
        with time_limit(seconds), memory_limit(BYTES), exit_if_stuck(seconds + STUCK):
            yield
    except TimeLimitError:
        raise _make_error(f"{what} of the task does not end within {seconds:.0f} s") from None
    except MemoryError:
        raise _make_error(f"{what} of the task takes more than {BYTES / 1e9:.0f} GB of memory") from None


def _make_error(what: str) -> InvalidInput:
    return InvalidInput(
        Problem("invalid-task", what, hint="correct the loops and regular expressions of the task file")
    )
