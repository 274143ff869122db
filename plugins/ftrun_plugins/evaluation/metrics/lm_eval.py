"""Evaluator `lm_eval`: a task of lm-evaluation-harness, which the stage `lm_eval` measures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from ftrun.api.rows import Options as BaseOptions


class LmEval:
    """Mean of the harness's metric over the documents of a task. The task defines if higher is better."""

    name: ClassVar[str] = "lm_eval"
    needs: ClassVar[str] = "lm_eval"
    higher_is_better: ClassVar[bool] = True

    class Options(BaseOptions):
        """The task, as a name or a file, and its settings."""

        task: str | None = Field(default=None, min_length=1)
        """Name of a task of lm-evaluation-harness. Set this or `task_file`."""
        task_file: Path | None = None
        """YAML file of a task. Set this or `task`."""
        metric: str | None = None
        """Metric to score, such as `exact_match` or, with a filter, `exact_match,strict-match`. Default: the first."""
        num_fewshot: int | None = Field(default=None, ge=0)
        """Number of examples in the prompt. Default: the setting of the task."""
        limit: int | None = Field(default=None, gt=0)
        """Maximum number of documents of each task. Default: all."""
        apply_chat_template: bool | None = None
        """Render prompts with the chat template. Default: true if the model has one."""
        max_tokens: int | None = Field(default=None, gt=0)
        """Maximum number of tokens per answer. Default: the setting of the task."""
        trust_remote_code: bool = False
        """Allow the functions that a task file names, and metrics that are code from the hub."""

        @model_validator(mode="after")
        def _check_alternatives(self) -> Self:
            if (self.task is None) == (self.task_file is None):
                raise ValueError("either `task` or `task_file`")
            return self

    def score(self, prediction: str, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        """Raise TypeError, because documents are not scored from answers."""
        raise TypeError("documents are measured by the stage `lm_eval`, not scored from answers")
