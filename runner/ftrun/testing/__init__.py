"""Contract tests for plugin authors: one class for each kind of component, which the components of ftrun also pass.

    from ftrun.testing import FormatterContract

    class TestTickets(FormatterContract):
        formatter = Tickets
        rows = [{"question": "…", "answer": "…"}]

Requires pytest and hypothesis: `pip install "ftrun[testing]"`.
"""

from __future__ import annotations

import pytest

# Register the modules before their import, so that failed assertions show the compared values.
pytest.register_assert_rewrite(*(f"{__name__}.{name}" for name in ("component", "examples", "formatter", "source")))
pytest.register_assert_rewrite(*(f"{__name__}.{name}" for name in ("stage", "evaluator", "backend")))

from ftrun.testing.backend import BackendContract  # noqa: E402
from ftrun.testing.evaluator import EvaluatorContract  # noqa: E402
from ftrun.testing.formatter import FormatterContract  # noqa: E402
from ftrun.testing.source import SourceContract  # noqa: E402
from ftrun.testing.stage import StageContract  # noqa: E402

__all__ = ["BackendContract", "EvaluatorContract", "FormatterContract", "SourceContract", "StageContract"]
