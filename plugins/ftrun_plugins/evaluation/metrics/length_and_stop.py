"""Evaluator `length_and_stop`: answers that end by themselves within a range of lengths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from ftrun.api.evaluators import Answer
from ftrun.api.rows import Options as BaseOptions


class LengthAndStop:
    """Fraction of answers that end by themselves and are neither too short nor too long."""

    name: ClassVar[str] = "length_and_stop"
    needs: ClassVar[str] = "answers"
    higher_is_better: ClassVar[bool] = True

    class Options(BaseOptions):
        """Range of lengths in tokens, without the end token."""

        min_tokens: int | None = Field(default=None, ge=0)
        """Minimum length of an answer in tokens, without the end token."""
        max_tokens: int | None = Field(default=None, ge=0)
        """Maximum length of an answer in tokens, without the end token."""

        @model_validator(mode="after")
        def _check_range(self) -> Self:
            if self.max_tokens is not None and (self.min_tokens or 0) > self.max_tokens:
                raise ValueError("`min_tokens` at most as large as `max_tokens`")
            return self

    def score(self, answer: Answer, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        """Return 1.0, or 0.0 and a reason."""
        reason = None
        if not answer.stopped:
            reason = f"did not stop within {answer.tokens} tokens"
        elif options.min_tokens is not None and answer.tokens < options.min_tokens:
            reason = f"has {answer.tokens} tokens, fewer than {options.min_tokens}"
        elif options.max_tokens is not None and answer.tokens > options.max_tokens:
            reason = f"has {answer.tokens} tokens, more than {options.max_tokens}"
        return float(reason is None), reason
