"""The command `ftrun preview`."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.output_file import write_output
from ftrun.cli.trust_option import trust_option
from ftrun.utils.path_option import PathOption
from ftrun_plugins.preview.row_selection import RowChoice, Way

MOST_ROWS = 1000


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("-n", "--rows", default=3, type=click.IntRange(1, MOST_ROWS), help="Number of rows; 3 by default.")
@click.option("--longest", is_flag=True, help="Show the longest rows.")
@click.option("--shortest", is_flag=True, help="Show the shortest rows.")
@click.option("--random", "at_random", is_flag=True, help="Show random rows. A number after the option is the seed.")
@click.option("--row", "place", metavar="FILE:LINE", help="Show the row at this place.")
@click.option("--held-out", is_flag=True, help="Show held-out rows instead of training rows.")
@click.option("--full", is_flag=True, help="Show long texts completely.")
@click.option("--json", "as_json", is_flag=True, help="Print tokens, labels and pieces as JSON.")
@click.option("--html", type=PathOption(dir_okay=False), help="Write the preview to this HTML file.")
@trust_option
@click.argument("overrides", nargs=-1)
def preview(
    overrides: tuple[str, ...],
    rows: int,
    longest: bool,
    shortest: bool,
    at_random: bool,
    place: str | None,
    held_out: bool,
    full: bool,
    as_json: bool,
    html: Path | None,
    trust: bool,
) -> int:
    """Show rows as the model will see them: trained text, special tokens, counts, cuts."""
    values, seed = _split_seed(overrides, at_random)
    ways: dict[Way, bool] = {"longest": longest, "shortest": shortest, "random": at_random, "row": place is not None}
    choice = RowChoice(_select_way(ways), rows, seed, place or "", "held_out" if held_out else "train")
    _check_place(choice)
    with TemporaryDirectory(prefix="ftrun-preview-") as folder:
        from ftrun_plugins.preview.build import build_preview

        result = build_preview(values, choice, Path(folder), trust)
    if as_json:
        print(json.dumps(result.as_dict()))
    if html is not None:
        from ftrun_plugins.preview.page import render_page

        if not write_output(html, render_page(result)) and not as_json:
            print(html)
    if not as_json and html is None:
        from ftrun_plugins.preview.terminal import show

        show(result, full)
    return 0


def _split_seed(overrides: tuple[str, ...], at_random: bool) -> tuple[list[str], int]:
    """Return the overrides and the seed of `--random`, which is a number among the overrides."""
    numbers = [word for word in overrides if at_random and word.isdecimal()]
    return [word for word in overrides if word not in numbers], int(numbers[-1]) if numbers else 0


def _select_way(ways: dict[Way, bool]) -> Way:
    chosen = [way for way, wanted in ways.items() if wanted]
    if len(chosen) > 1:
        raise InvalidInput(Problem("usage", f"--{' and --'.join(chosen)} cannot be used together"))
    return chosen[0] if chosen else "first"


def _check_place(choice: RowChoice) -> None:
    if choice.way == "row" and not choice.place.rpartition(":")[2].isdecimal():
        raise InvalidInput(
            Problem("usage", f"`{choice.place}` is not the place of a row", "--row", "FILE:LINE, such as data.jsonl:12")
        )
