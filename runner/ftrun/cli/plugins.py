"""`ftrun plugins`: which packages register what; `ftrun plugins new NAME`: the beginning of one more."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click

from ftrun.api.errors import InvalidInput
from ftrun.plugins.entry_points import DISABLE, distribution, enabled, entry_points


@click.group("plugins", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.pass_context
def plugins_verb(ctx: click.Context, as_json: bool) -> int:
    """Lists the installed packages and what each registers; what is wrong with one comes last."""
    if ctx.invoked_subcommand:
        return 0
    from ftrun.cli.main import VERBS
    from ftrun.plugins.inventory import list_distributions

    found = list_distributions(VERBS)
    left_out = sorted({distribution(entry) for entry in entry_points()} - {distribution(entry) for entry in enabled()})
    problems = [problem for listing in found for problem in listing.problems]
    if as_json:
        print(json.dumps({"distributions": [listing.as_dict() for listing in found], "left_out": left_out}))
        return InvalidInput.exit_code if problems else 0
    for listing in found:
        print(listing.distribution)
        for kind, names in listing.lines():
            print("\n".join(_lines(kind, names)))
    for name in left_out:
        print(f"{name}\n  left out by {DISABLE}")
    if problems:
        raise InvalidInput(problems)
    return 0


def _lines(kind: str, names: tuple[str, ...]) -> Iterator[str]:
    yield from textwrap.wrap(", ".join(names), 110, initial_indent=f"  {kind:<15} ", subsequent_indent=" " * 18)


@plugins_verb.command()
@click.argument("name")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def new(name: str, folder: Path | None) -> None:
    """Writes a package NAME that can be installed, with a formatter, a config option and tests of it, into FOLDER."""
    from ftrun.plugins.scaffold import write_skeleton

    made = write_skeleton(name, folder)
    print(f"{made}/")
    for file in sorted(path for path in made.rglob("*") if path.is_file()):
        print(f"  {file.relative_to(made)}")
    print(f'\nnext     pip install --editable "{made}[test]"\n         pytest {made}\n         ftrun plugins')
