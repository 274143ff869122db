"""The commands `ftrun compare` and `ftrun diff`."""

from __future__ import annotations

import json

import click

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import default_store
from ftrun.cli.run_lookup import find_run, reader_of
from ftrun.report.run_data import RunData
from ftrun_plugins.compare.diff_sections import build_sections
from ftrun_plugins.compare.metric_diff import differences, figures
from ftrun_plugins.compare.model_comparison import compare_tuned_models
from ftrun_plugins.compare.table import comparison_lines, diff_lines


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@click.argument("runs", nargs=-1)
def compare(runs: tuple[str, ...], as_json: bool) -> int:
    """Compare RUNS: recipes, figures, evaluations and tuned models.

    The tuned models are compared with that of the first run.
    """
    store = default_store()
    folders = list(dict.fromkeys(find_run(store, run) for run in runs))
    if len(folders) < 2:
        raise InvalidInput(
            Problem("usage", "`ftrun compare` needs at least two different runs", hint="`ftrun runs` lists the runs")
        )
    data = [RunData(folder, reader_of(store, folder)) for folder in folders]
    run_figures = [figures(run) for run in data]
    recipe_differences = differences([run.values for run in data])
    tuned = [comparison for other in data[1:] for comparison in compare_tuned_models(data[0], other)]
    if as_json:
        print(json.dumps({"runs": run_figures, "differences": recipe_differences, "tuned": tuned}))
    else:
        print("\n".join(comparison_lines(run_figures, recipe_differences, tuned)))
    return 0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
@click.argument("first")
@click.argument("other")
def diff(first: str, other: str, as_json: bool) -> int:
    """Show the differences of the runs FIRST and OTHER: recipe, data, code, versions, hardware, results.

    The exit code is 0 even if the runs differ.
    """
    store = default_store()
    folders = [find_run(store, name) for name in (first, other)]
    if folders[0] == folders[1]:
        raise InvalidInput(
            Problem("usage", f"both names are the run {folders[0].id}", hint="`ftrun runs` lists the runs")
        )
    first_run, other_run = (RunData(folder, reader_of(store, folder)) for folder in folders)
    sections = build_sections(store, first_run, other_run)
    ids = [folder.id for folder in folders]
    print(json.dumps({"runs": ids, **sections}) if as_json else "\n".join(diff_lines(ids, sections)))
    return 0
