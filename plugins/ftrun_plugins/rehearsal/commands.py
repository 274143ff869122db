"""The verb `ftrun rehearse`."""

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
from ftrun.workflow.session import Session, plan_call_graph
from ftrun.execution.engine import prepare
from ftrun.execution.provenance import collect_provenance
from ftrun.plugins.manager import plugins
from ftrun.store import runs
from ftrun.utils.value_format import shorten_value
from ftrun_plugins.rehearsal.recipe import rehearsal_of
from ftrun_plugins.rehearsal.replacement import as_dict

WIDEST = 34  # letters of a value
NO_GPU = "no GPU: "  # how `train` begins a note on what it adapts


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.argument("overrides", nargs=-1)
def rehearse(overrides: tuple[str, ...], as_json: bool) -> int:
    """Runs a recipe end to end on this CPU with a tiny random model, few rows and 3 steps: the wiring, not the result.

    OVERRIDES are those of the real run. What is replaced is told first. A gate that is not met fails nothing.
    """
    loaded, replaced = rehearsal_of(overrides, plugins())
    session = plan_call_graph(loaded)
    session.check_access()
    folder = _folder(session, overrides, replaced)
    if not as_json:
        print("\n".join(_lines(session, replaced)))
    try:
        run_in_foreground(session.store, folder, as_json)
    except GateNotMet as error:
        _tell_gates(session, folder, error, as_json)
    if not as_json:
        print(f"\nrehearsed: every stage ran. The real run: ftrun {shlex.join(overrides)}")
    return 0


def _folder(session: Session, overrides: Sequence[str], replaced: Sequence[Replacement]) -> RunFolder:
    """A run like any other; its record has the command as it was given, and what was replaced."""
    loaded = session.loaded
    known = {**collect_provenance(session.plan, session.backend), "rehearsal": [as_dict(one) for one in replaced]}
    return prepare(session.store, loaded.recipe, session.plan, ("rehearse", *overrides), loaded.origins(), known)


def _lines(session: Session, replaced: Sequence[Replacement]) -> Iterator[str]:
    name = session.plan.recipe.removesuffix("-rehearsal")
    yield f"a rehearsal of {name}: its parts run together, and its results mean nothing"
    yield ""
    rows = [("replaced", "from", "to", "why")]
    rows += [(one.key, _cell(one.old), _cell(one.new), one.why) for one in replaced]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        yield "  " + "  ".join(f"{text:<{width}}" for text, width in zip(row, [*widths, 0], strict=True)).rstrip()
    adapted = [
        note.removeprefix(NO_GPU) for call in session.plan.calls for note in call.notes if note.startswith(NO_GPU)
    ]
    if adapted:
        yield "\nand without a GPU"
        yield from (f"  {note}" for note in adapted)
    yield ""


def _cell(value: Any) -> str:
    return shorten_value(value, WIDEST, nothing="-")


def _tell_gates(session: Session, folder: RunFolder, error: GateNotMet, as_json: bool) -> None:
    if as_json:
        print(json.dumps(runs.load(folder).model_dump(mode="json")))
        return
    print(summary_text(session.store, folder))
    print("\ngates that a model which has learnt nothing does not meet:")
    print("\n".join(f"  {problem.what}" for problem in error.problems))
