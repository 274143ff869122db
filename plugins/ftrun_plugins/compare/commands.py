"""The verbs `ftrun compare` and `ftrun diff`."""

from __future__ import annotations

import json

import click

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import default_store
from ftrun.cli.run_lookup import find_run, reader_of
from ftrun.report.run_data import RunData
from ftrun_plugins.compare.diff_sections import sections
from ftrun_plugins.compare.metric_diff import differences, figures
from ftrun_plugins.compare.model_comparison import against
from ftrun_plugins.compare.table import diff_lines, lines


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@click.argument("runs", nargs=-1)
def compare(runs: tuple[str, ...], as_json: bool) -> int:
    """Puts RUNS side by side: recipes, figures, evaluations, and whether their tuned models differ.

    The tuned models are compared with that of the run named first.
    """
    store = default_store()
    folders = list(dict.fromkeys(find_run(store, run) for run in runs))
    if len(folders) < 2:
        raise InvalidInput(
            Problem("usage", "two or more different runs can be compared", hint="`ftrun runs` lists them")
        )
    materials = [RunData(folder, reader_of(store, folder)) for folder in folders]
    sides = [figures(material) for material in materials]
    differing = differences([material.values for material in materials])
    tuned = [comparison for other in materials[1:] for comparison in against(materials[0], other)]
    if as_json:
        print(json.dumps({"runs": sides, "differences": differing, "tuned": tuned}))
    else:
        print("\n".join(lines(sides, differing, tuned)))
    return 0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
@click.argument("first")
@click.argument("other")
def diff(first: str, other: str, as_json: bool) -> int:
    """Shows what the run OTHER differs in from FIRST: recipe, data, code, versions, hardware, results.

    Ends with 0 whether or not they differ.
    """
    store = default_store()
    folders = [find_run(store, name) for name in (first, other)]
    if folders[0] == folders[1]:
        raise InvalidInput(Problem("usage", f"both are the run {folders[0].id}", hint="`ftrun runs` lists the others"))
    before, after = (RunData(folder, reader_of(store, folder)) for folder in folders)
    found = sections(store, before, after)
    ids = [folder.id for folder in folders]
    print(json.dumps({"runs": ids, **found}) if as_json else "\n".join(diff_lines(ids, found)))
    return 0
