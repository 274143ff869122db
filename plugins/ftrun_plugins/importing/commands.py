"""The command `ftrun import`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.output_file import is_stream, write_output
from ftrun.utils.path_option import PathOption
from ftrun_plugins.importing.coverage import coverage_json, coverage_lines, summary
from ftrun_plugins.importing.detect import detect_tool
from ftrun_plugins.importing.draft import ImportContext, RecipeDraft
from ftrun_plugins.importing.foreign_file import read_foreign_file
from ftrun_plugins.importing.importers import importer_of
from ftrun_plugins.importing.recipe_text import write_recipe
from ftrun_plugins.importing.verification import verify

SUFFIXES = (".yaml", ".yml")
PATH = PathOption()


@click.command("import")
@click.option("--output", type=PATH, help="Write the recipe to this file. Default: NAME_recipe.yaml in this folder.")
@click.option("--dataset-info", type=PATH, help="Read descriptions of datasets from this dataset_info.json.")
@click.option("--check", is_flag=True, help="Print what becomes of each key, and write no recipe.")
@click.option("--force", is_flag=True, help="Overwrite the output file.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.argument("file", type=PATH)
def import_verb(
    file: Path, output: Path | None, dataset_info: Path | None, check: bool, force: bool, as_json: bool
) -> int:
    """Make a recipe of FILE: a configuration of axolotl or LLaMA-Factory, or a fine-tuning job of OpenAI."""
    target = output or Path(f"{file.stem}_recipe.yaml")
    if not check:
        _check_target(target, force)
    draft, text, problems = import_file(file, target, dataset_info)
    if check and not as_json:
        print("\n".join(coverage_lines(draft)))
    if check and as_json and not problems:
        print(json.dumps(coverage_json(draft)))
    if problems:
        raise InvalidInput(problems)
    if not check and not write_output(target, text):
        print(_json_result(target, draft) if as_json else "\n".join(_result_lines(target, draft)))
    return 0


def import_file(file: Path, target: Path, dataset_info: Path | None = None) -> tuple[RecipeDraft, str, list[Problem]]:
    """Return the recipe of a file, its text, and the problems because of which it must not be written.

    Raises:
        InvalidInput: If the file cannot be read, or belongs to no known tool.
    """
    values, lines = read_foreign_file(file)
    folder = Path.cwd() if is_stream(target) else target.absolute().parent
    context = ImportContext(file, folder, lines, dataset_info)
    draft = importer_of(detect_tool(values, context)).read(values, context)
    text = write_recipe(draft, file.name, target.name)
    verified = verify(text, draft, context)
    problems = list(_refusals(draft, context)) + (verified if isinstance(verified, list) else [])
    return draft, text, problems


def _refusals(draft: RecipeDraft, context: ImportContext) -> Iterator[Problem]:
    for entry in draft.of("refused"):
        at = f"{context.file}:{entry.line}" if entry.line else str(context.file)
        yield Problem("no-import", entry.reason, at, did_you_mean=entry.did_you_mean, hint=entry.hint)


def _check_target(target: Path, force: bool) -> None:
    if is_stream(target):
        return
    if target.suffix not in SUFFIXES:
        what = f"{target} is not the name of a recipe file"
        raise InvalidInput(Problem("invalid-value", what, expected="a name that ends in .yaml"))
    if target.is_dir() or (target.exists() and not force):
        hint = "name another file with --output" + ("" if target.is_dir() else ", or overwrite it with --force")
        raise InvalidInput(Problem("file-exists", f"{target} already exists", hint=hint))


def _json_result(target: Path, draft: RecipeDraft) -> str:
    return json.dumps({"recipe": str(target), **coverage_json(draft)})


def _result_lines(target: Path, draft: RecipeDraft) -> Iterator[str]:
    yield f"{target}"
    yield f"{draft.tool}: {summary(draft)}"
    for entry in draft.of("changed", "check"):
        yield f"{entry.outcome:<9} {entry.key}: {entry.reason}"
    yield f"\nnext     ftrun validate recipe={shlex.quote(str(target))}"
