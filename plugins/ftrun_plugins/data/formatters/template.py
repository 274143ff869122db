"""The formatter `template`: prompt and answer are written as templates in the recipe; the answer is trained on."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, ValidationInfo, field_validator

from ftrun.api.rows import FormatterOptions, Rejected, Row, Segments
from ftrun_plugins.data.formatters.errors import InvalidRowError
from ftrun_plugins.data.formatters.template_syntax import columns, fill


def _template(template: str) -> str:
    columns(template)
    return template


def _answer(template: str) -> str:
    if not columns(template):
        raise ValueError("the answer names no column, as in {answer}: every row would teach the same text")
    return template


class Template:
    """Exact text for the model, without a chat template: what is written is what it sees."""

    name: ClassVar[str] = "template"

    class Options(FormatterOptions):
        """Templates with columns in braces, as in `[INST] {question} [/INST]`; a brace itself is written twice."""

        prompt: Annotated[str, AfterValidator(_template)]
        answer: Annotated[str, AfterValidator(_answer)]

        @field_validator("answer")
        @classmethod
        def _is_not_in_prompt(cls, answer: str, info: ValidationInfo) -> str:
            if set(columns(answer)) <= set(columns(info.data.get("prompt", ""))):
                raise ValueError("a template with a column that `prompt` lacks: each prompt would contain its answer")
            return answer

    def format(self, row: Row, options: Options) -> Segments | Rejected:
        """The prompt, which is not trained on, and the answer, which is."""
        try:
            prompt, answer = fill(options.prompt, row.values), fill(options.answer, row.values)
        except InvalidRowError as invalid:
            return invalid.rejected()
        if not answer or answer.isspace():
            named = ", ".join(f"`{column}`" for column in columns(options.answer))
            return Rejected(f"the answer, of {named}, is empty: there is nothing to learn", "empty-value")
        return Segments(((prompt, False), (answer, True)) if prompt else ((answer, True),))
