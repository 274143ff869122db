"""What a plugin's tests inherit: for each kind of part a contract, which ftrun's own parts pass too.

    from ftrun.testing import FormatterContract

    class TestTickets(FormatterContract):
        formatter = Tickets
        rows = [{"question": "…", "answer": "…"}]

Needs pytest and hypothesis, which `pip install "ftrun[testing]"` brings.
"""

from __future__ import annotations

import pytest

# before they are imported, so that a failure shows the values that were compared
pytest.register_assert_rewrite(*(f"{__name__}.{name}" for name in ("part", "examples", "formatter", "source")))
pytest.register_assert_rewrite(*(f"{__name__}.{name}" for name in ("stage", "evaluator", "backend")))

from ftrun.testing.backend import BackendContract  # noqa: E402
from ftrun.testing.evaluator import EvaluatorContract  # noqa: E402
from ftrun.testing.formatter import FormatterContract  # noqa: E402
from ftrun.testing.source import SourceContract  # noqa: E402
from ftrun.testing.stage import StageContract  # noqa: E402

__all__ = ["BackendContract", "EvaluatorContract", "FormatterContract", "SourceContract", "StageContract"]
