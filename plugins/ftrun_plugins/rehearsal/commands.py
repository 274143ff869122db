"""The command `ftrun rehearse`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import click

from ftrun.api.errors import GateNotMet
from ftrun.api.paths import RunFolder
from ftrun.api.trainers import Replacement
from ftrun.cli.local_runs import run_in_foreground
from ftrun.cli.run_summary import summary_text
from ftrun.cli.trust_option import trust_option
from ftrun.execution.engine import prepare
from ftrun.execution.provenance import collect_provenance
from ftrun.plugins.manager import plugins
from ftrun.store import runs
from ftrun.utils.value_format import shorten_value
from ftrun.workflow.session import Session, plan_call_graph
from ftrun_plugins.rehearsal.recipe import load_rehearsal
from ftrun_plugins.rehearsal.replacement import as_dict

MAX_WIDTH = 34  # characters of a value in the table
NO_GPU = "no GPU: "  # the prefix of `train` for notes on values that it adapts


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@trust_option
@click.argument("overrides", nargs=-1)
def rehearse(overrides: tuple[str, ...], as_json: bool, trust: bool) -> int:
    """Test a recipe end to end on this machine's CPU with a tiny random model, few rows and 3 steps.

    OVERRIDES are those of the real run. The command prints the replaced values first. It succeeds even if gates are not
    met.
    """
    loaded, replacements = load_rehearsal(overrides, plugins())
    session = plan_call_graph(loaded, trust)
    session.check_access()
    folder = _create_run(session, overrides, replacements)
    if not as_json:
        print("\n".join(_format_replacements(session, replacements)))
    try:
        run_in_foreground(session.store, folder, as_json)
    except GateNotMet as error:
        _print_gates(session, folder, error, as_json)
    if not as_json:
        print(f"\nAll stages of the rehearsal ran. The command of the real run: ftrun {shlex.join(overrides)}")
    return 0


def _create_run(session: Session, overrides: Sequence[str], replacements: Sequence[Replacement]) -> RunFolder:
    """Create the run. Its record has the command line of the user and the replacements."""
    loaded = session.loaded
    facts = {**collect_provenance(session.plan, session.backend), "rehearsal": [as_dict(item) for item in replacements]}
    return prepare(session.store, loaded.recipe, session.plan, ("rehearse", *overrides), loaded.origins(), facts)


def _format_replacements(session: Session, replacements: Sequence[Replacement]) -> Iterator[str]:
    name = session.plan.recipe.removesuffix("-rehearsal")
    yield f"Rehearsal of {name}: it shows that all stages run; its results are meaningless"
    yield ""
    rows = [("replaced", "from", "to", "why")]
    rows += [(item.key, _format_cell(item.old), _format_cell(item.new), item.why) for item in replacements]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        yield "  " + "  ".join(f"{text:<{width}}" for text, width in zip(row, [*widths, 0], strict=True)).rstrip()
    adapted = [
        note.removeprefix(NO_GPU) for call in session.plan.calls for note in call.notes if note.startswith(NO_GPU)
    ]
    if adapted:
        yield "\nadapted because there is no GPU"
        yield from (f"  {note}" for note in adapted)
    yield ""


def _format_cell(value: Any) -> str:
    return shorten_value(value, MAX_WIDTH, nothing="-")


def _print_gates(session: Session, folder: RunFolder, error: GateNotMet, as_json: bool) -> None:
    if as_json:
        print(json.dumps(runs.load(folder).model_dump(mode="json")))
        return
    print(summary_text(session.store, folder))
    print("\nGates that the untrained tiny model does not meet:")
    print("\n".join(f"  {problem.what}" for problem in error.problems))
