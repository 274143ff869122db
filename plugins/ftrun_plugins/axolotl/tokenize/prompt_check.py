"""Check that a server gives the trained model the prompts of its training, before anything is trained.

A server renders the messages before an answer, and asks the chat template for the beginning of the answer. Some
templates begin an answer differently than they render a finished one, for example with an empty block of thoughts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.prompt_comparison import TrainedPrompt, compare_tokens, limit, trained_prompt
from ftrun.api.prompts import Prompt, apply_template, make_prompt
from ftrun.api.template_limits import BYTES
from ftrun.utils.limits import memory_limit
from ftrun_plugins.axolotl.config.build import TEMPLATE
from ftrun_plugins.axolotl.tokenize.row_tokenizer import RowTokenizer, format_error
from ftrun_plugins.axolotl.tokenize.template_variables import find_variables

if TYPE_CHECKING:
    from ftrun.api.artifacts import ExampleRow
    from ftrun.api.context import Reporter
    from ftrun_plugins.axolotl.tokenize.params import Params

MAX_ROWS, MAX_ROWS_PER_FORM = 64, 4
SERVER = "a server with this chat template"
THOUGHTS_END = "</think>"
OWN_TEMPLATE = "tokenizer_default"  # value of train.chat_template
WAY_ON = "use another train.chat_template"
SPLIT_WAY_ON = (
    "the text is the same, but the tokenizer splits the end of a prompt in another way before an answer; "
    "use a train.chat_template whose prompts do not end with white space"
)

Form = tuple[object, ...]


class ChatSample:
    """First chats of each form, where the form is what a chat template may render in a special way."""

    def __init__(self) -> None:
        self.examples: list[ExampleRow] = []
        self._counts: dict[Form, int] = {}

    def watch(self, examples: Iterable[ExampleRow]) -> Iterator[ExampleRow]:
        """Yield the examples, and add some of those that are chats to the sample."""
        for example in examples:
            if "messages" in example and len(self.examples) < MAX_ROWS:
                self._offer(example)
            yield example

    def _offer(self, example: ExampleRow) -> None:
        form = _describe_form(example)
        count = self._counts[form] = self._counts.get(form, 0) + 1
        if count <= MAX_ROWS_PER_FORM:
            self.examples.append(deepcopy(example))  # the trainer changes the messages that it tokenizes


def _describe_form(example: ExampleRow) -> Form:
    messages = example["messages"]
    return (
        messages[0]["role"],
        messages[-1]["role"],
        bool(example.get("tools")),
        any(message.get("tool_calls") for message in messages),
        bool(messages[-1].get("tool_calls")),
        any(map(_has_thoughts, messages)),
        _has_thoughts(messages[-1]),
        any(message.get("train") is False for message in messages),
    )


def _has_thoughts(message: Mapping[str, Any]) -> bool:
    return bool(message.get("reasoning_content")) or THOUGHTS_END in (message.get("content") or "")


def check_prompts(rows: RowTokenizer, examples: Sequence[ExampleRow], params: Params, reporter: Reporter) -> None:
    """Compare the prompts of these chats with those that a server renders.

    Nothing is compared if the recipe itself selects the trained tokens.

    Raises:
        InvalidInput: If prompts differ, unless the recipe only reports it.
    """
    if rows.has_own_mask:
        return
    trained = list(_tokenize(rows, examples))
    problems = _find_differences(rows, trained)
    if problems and params.on_prompt_mismatch == "stop":
        way_on = _propose(rows, examples, len(trained)) or _explain(rows, trained)
        hint = f"{way_on}; dataset.on_prompt_mismatch=report only reports the difference"
        raise InvalidInput([replace(problem, hint=hint) for problem in limit(problems)])
    for problem in problems[:1]:
        count = f"{len(problems)} of {len(trained)} compared chats differ"
        reporter.warning(f"{problem.what}, at {problem.at}; {count}")


def _find_differences(rows: RowTokenizer, trained: Sequence[TrainedPrompt]) -> list[Problem]:
    rendered, problems = [], []
    for row in trained:
        try:
            _render(rows, row.prompt)
        except InvalidInput:  # the template does not end
            raise
        except Exception as error:  # the template rejects a chat without its last answer, or fails on it
            what = f"the chat template cannot render the prompt of a server: {format_error(error)}"
            problems.append(Problem("parity", what, at=row.prompt.place))
        else:
            rendered.append(row)
    return [*problems, *compare_tokens(rendered, partial(_render, rows), rows.tokenizer, SERVER)]


def _tokenize(rows: RowTokenizer, examples: Sequence[ExampleRow]) -> Iterator[TrainedPrompt]:
    """Yield the prompts of the examples that are neither bad nor too long, as they are trained."""
    for index, example in enumerate(examples):
        outcome = rows.check_row(rows.tokenize(deepcopy(example)))
        if not (outcome.problem or outcome.dropped or outcome.tokens.cut):
            yield trained_prompt(make_prompt(index, example), outcome.tokens.ids, outcome.tokens.labels)


def _render(rows: RowTokenizer, prompt: Prompt) -> list[int]:
    with memory_limit(BYTES):
        return apply_template(prompt, rows.tokenizer, {**rows.variables, "chat_template": rows.template})


def _propose(rows: RowTokenizer, examples: Sequence[ExampleRow], count: int) -> str | None:
    """Return an override after which the prompts of all `count` compared chats are equal, or None.

    A template that leaves out more of the chats is not proposed.
    """
    losses = _find_losses(rows, examples)
    for override, keys in _list_changes(rows):
        with suppress(Exception):  # the template may not support the value
            other = rows.with_keys(keys)
            trained = list(_tokenize(other, examples))
            is_equal = len(trained) >= count and not _find_differences(other, trained)
            if is_equal and _find_losses(other, examples) <= losses:
                return f"set {override}"
    return None


def _find_losses(rows: RowTokenizer, examples: Sequence[ExampleRow]) -> set[str]:
    return {loss for example in examples for loss in rows.tokenize(deepcopy(example)).losses}


def _list_changes(rows: RowTokenizer) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield overrides that may help, with the trainer keys that they change."""
    for name in sorted(find_variables(rows.template)):
        for value in (False, True) if "think" in name else ():
            yield f"model.template.{name}={str(value).lower()}", {TEMPLATE: {**rows.variables, name: value}}
    template = rows.read_model_template()
    if template is not None and template != rows.template:
        yield f"train.chat_template={OWN_TEMPLATE}", {"chat_template": "jinja", "chat_template_jinja": template}


def _explain(rows: RowTokenizer, trained: Sequence[TrainedPrompt]) -> str:
    """Return a hint for prompts that no override makes equal."""
    with suppress(Exception):  # the template may not render a prompt
        decode = rows.tokenizer.decode
        if all(decode(row.ids) == decode(_render(rows, row.prompt)) for row in trained):
            return SPLIT_WAY_ON
    return WAY_ON
