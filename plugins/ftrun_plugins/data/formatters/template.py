"""The formatter `template`: the recipe has templates for prompt and answer. Only the answer is trained on."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, ValidationInfo, field_validator

from ftrun.api.rows import FormatterOptions, Rejected, Row, Segments
from ftrun_plugins.data.formatters.errors import InvalidRowError
from ftrun_plugins.data.formatters.row_access import Values
from ftrun_plugins.data.formatters.template_syntax import columns, fill


def _check_template(template: str) -> str:
    columns(template)
    return template


def _check_answer(template: str) -> str:
    if not columns(template):
        raise ValueError("a template with a column, such as {answer}; without one, all rows have the same answer")
    return template


class Template:
    """Prompt and answer from templates of the recipe, without a chat template."""

    name: ClassVar[str] = "template"

    class Options(FormatterOptions):
        """Templates with columns in braces, such as `[INST] {question} [/INST]`. Write a literal brace twice."""

        prompt: Annotated[str, AfterValidator(_check_template)]
        """Template of the prompt with columns in braces, as in `[INST] {question} [/INST]`. Double a literal brace."""
        answer: Annotated[str, AfterValidator(_check_answer)]
        """Template of the answer. It needs at least one column that `prompt` lacks."""

        values: Values = "text"
        """`text` accepts strings, numbers and booleans. `json` also accepts objects and lists, and writes them so."""

        @field_validator("answer")
        @classmethod
        def _check_answer_differs(cls, answer: str, info: ValidationInfo) -> str:
            if set(columns(answer)) <= set(columns(info.data.get("prompt", ""))):
                raise ValueError(
                    "a template with a column that `prompt` lacks; otherwise each prompt contains its answer"
                )
            return answer

    def format(self, row: Row, options: Options) -> Segments | Rejected:
        """Return the prompt, which is not trained on, and the answer, which is trained on."""
        try:
            prompt, answer = (
                fill(template, row.values, options.values) for template in (options.prompt, options.answer)
            )
        except InvalidRowError as error:
            return error.to_rejected()
        if not answer or answer.isspace():
            names = ", ".join(f"`{column}`" for column in columns(options.answer))
            return Rejected(f"the answer from {names} is empty", "empty-value")
        return Segments(((prompt, False), (answer, True)) if prompt else ((answer, True),))
