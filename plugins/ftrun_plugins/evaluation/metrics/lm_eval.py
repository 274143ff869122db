"""A task of lm-evaluation-harness, as an evaluation: the stage `lm_eval` measures it, this only says what is asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from ftrun.api.rows import Options as BaseOptions


class LmEval:
    """Mean over the task's documents of the harness's own metric; whether more is better, the task says."""

    name: ClassVar[str] = "lm_eval"
    needs: ClassVar[str] = "lm_eval"
    higher_is_better: ClassVar[bool] = True

    class Options(BaseOptions):
        """The task, by its name or as a file of one's own, and how it is asked."""

        task: str | None = Field(default=None, min_length=1)
        task_file: Path | None = None
        metric: str | None = None  # `exact_match`, or with a filter `exact_match,flexible-extract`; null: the first
        num_fewshot: int | None = Field(default=None, ge=0)  # null: what the task says
        limit: int | None = Field(default=None, gt=0)  # documents of each task
        apply_chat_template: bool | None = None  # null: where the model has one
        max_tokens: int | None = Field(default=None, gt=0)  # of an answer; null: what the task says
        trust_remote_code: bool = False  # the task's file names functions, or its metric is code of the hub

        @model_validator(mode="after")
        def _one_of_both(self) -> Self:
            if (self.task is None) == (self.task_file is None):
                raise ValueError("either `task` or `task_file`")
            return self

    def score(self, prediction: str, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        raise TypeError("documents are measured by the stage `lm_eval`, not scored from answers")
