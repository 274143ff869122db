"""Trainer keys whose value can be the path of a file: a chat template in Jinja, a DeepSpeed configuration in JSON.

The content replaces the path before anything else reads the key. So the rules for values in the recipe apply to files
too, the content is part of keys, and stages on other machines get it without the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.issues import Issue, KeyPath
from ftrun.api.recipe import Recipe
from ftrun.api.recipe_files import parse_json, read_recipe_file, syntax_error
from ftrun.api.trainers import TrainerConfig

TEMPLATE_MARKS = ("{", "\n")  # a chat template has one of these, the name of a file has none
JINJA = "jinja"  # value of `chat_template` with which axolotl reads `chat_template_jinja`
PRESETS = "the optimizations zero1, zero2, zero3 and zero3_offload have the configurations that axolotl ships"


def names_file(key: str, value: Any) -> bool:
    """Return whether the value of a trainer key is the path of a file."""
    if not isinstance(value, str) or not value.strip():
        return False
    return key == "deepspeed" or (key == "chat_template_jinja" and not any(mark in value for mark in TEMPLATE_MARKS))


def read_files(values: dict[str, Any], origins: dict[str, KeyPath]) -> Iterator[Issue]:
    """Replace the paths of files in `values` by their contents. Yield an issue for each file that cannot be used."""
    for key, read in READERS.items():
        if not names_file(key, values.get(key)):
            continue
        try:
            values[key] = read(Path(values[key]))
        except InvalidInput as error:
            yield from (_as_issue(key, origins[key], problem) for problem in error.problems)
    if values.get("chat_template_jinja") and not values.get("chat_template"):
        values["chat_template"] = JINJA  # as axolotl does
        origins["chat_template"] = origins["chat_template_jinja"]


def read_entry(recipe: Recipe) -> tuple[dict[str, Any], list[Issue]]:
    """Return the keys of axolotl's dataset entry with the contents of files, and the issues with these."""
    values = dict(recipe.dataset.trainer)
    issues = list(read_files(values, {key: ("dataset", "trainer", key) for key in values}))
    return values, issues


def check_entry(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    """Yield an issue for each file that a key of the dataset entry names and that cannot be used."""
    yield from read_entry(recipe)[1]


def check_template(recipe: Recipe, config: TrainerConfig) -> Iterator[Issue]:
    """Yield an issue if the recipe has a template that another key switches off, or that is not valid Jinja."""
    text, choice = config.values.get("chat_template_jinja"), config.values.get("chat_template")
    if not isinstance(text, str) or names_file("chat_template_jinja", text):
        return
    path = config.origins["chat_template_jinja"]
    if choice != JINJA:
        also = (config.origins["chat_template"],) if "chat_template" in config.origins else ()
        what = f"`chat_template_jinja` has no effect, because `chat_template` is `{choice}`"
        yield Issue("no-effect", path, what, hint=f"set train.chat_template={JINJA}", also=also)
    if error := find_syntax_error(text):
        line, reason = error
        yield Issue("invalid-template", path, f"`chat_template_jinja` is not valid Jinja: line {line}: {reason}")


def find_syntax_error(text: str) -> tuple[int, str] | None:
    """Return the line and the reason of the first syntax error in a chat template, or None."""
    from jinja2 import Environment, TemplateSyntaxError, nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.parser import Parser

    class Generation(Extension):
        """Tag `generation` of transformers around the answers of the assistant."""

        tags = {"generation"}

        def parse(self, parser: Parser) -> nodes.Node:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.Scope(body, lineno=line)

    try:
        Environment(extensions=[Generation, loopcontrols]).parse(text)  # noqa: S701  (only parsed)
    except TemplateSyntaxError as error:
        return error.lineno, str(error.message)
    except RecursionError:
        return 1, "the template is nested too deeply"
    return None


def _read_template(path: Path) -> str:
    text = read_recipe_file(path)
    if error := find_syntax_error(text):
        raise syntax_error("invalid-template", f"invalid Jinja: {error[1]}", path, error[0])
    if not any(mark in text for mark in TEMPLATE_MARKS):
        raise InvalidInput(Problem("wrong-format", "the file is no chat template", str(path), "Jinja with `messages`"))
    return text


READERS: Mapping[str, Callable[[Path], Any]] = {"chat_template_jinja": _read_template, "deepspeed": parse_json}


def _as_issue(key: str, path: KeyPath, problem: Problem) -> Issue:
    hint = PRESETS if key == "deepspeed" and problem.code == "file-not-found" else problem.hint
    what = f"`{key}` names the file {problem.at}: {problem.what}"
    return Issue(problem.code, path, what, problem.expected, problem.did_you_mean, hint)
