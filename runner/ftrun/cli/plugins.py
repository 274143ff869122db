"""`ftrun plugins`: list what each package registers; `ftrun plugins new NAME`: create a plugin package."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click

from ftrun.api.errors import InvalidInput
from ftrun.plugins.entry_points import DISABLE, distribution, enabled, entry_points
from ftrun.utils.path_option import PathOption


@click.group("plugins", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.pass_context
def plugins_verb(ctx: click.Context, as_json: bool) -> int:
    """List the installed packages and what each registers. Problems are reported last."""
    if ctx.invoked_subcommand:
        return 0
    from ftrun.cli.commands import builtin_commands
    from ftrun.plugins.inventory import list_distributions

    distributions = list_distributions(builtin_commands())
    disabled = sorted({distribution(entry) for entry in entry_points()} - {distribution(entry) for entry in enabled()})
    problems = [problem for listing in distributions for problem in listing.problems]
    if as_json:
        print(json.dumps({"distributions": [listing.as_dict() for listing in distributions], "left_out": disabled}))
        return InvalidInput.exit_code if problems else 0
    for listing in distributions:
        print(listing.distribution)
        for kind, names in listing.lines():
            print("\n".join(_wrap_names(kind, names)))
    for name in disabled:
        print(f"{name}\n  disabled by {DISABLE}")
    if problems:
        raise InvalidInput(problems)
    return 0


def _wrap_names(kind: str, names: tuple[str, ...]) -> Iterator[str]:
    yield from textwrap.wrap(", ".join(names), 110, initial_indent=f"  {kind:<15} ", subsequent_indent=" " * 18)


@plugins_verb.command()
@click.argument("name")
@click.argument("folder", required=False, type=PathOption())
def new(name: str, folder: Path | None) -> None:
    """Create an installable plugin package.

    Writes the package NAME into FOLDER, by default `ftrun-NAME`, with a formatter, a config option and their tests.
    """
    from ftrun.plugins.scaffold import write_skeleton

    package = write_skeleton(name, folder)
    print(f"{package}/")
    for file in sorted(path for path in package.rglob("*") if path.is_file()):
        print(f"  {file.relative_to(package)}")
    print(f'\nnext     pip install --editable "{package}[test]"\n         pytest {package}\n         ftrun plugins')
