"""The verb `ftrun preview`."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from ftrun.api.errors import InvalidInput, Problem
from ftrun.utils.atomic_io import write_bytes
from ftrun_plugins.preview.row_selection import RowChoice, Way
from ftrun_plugins.preview.tokenizer_client import LIGHT, TokenizerClient, TrainerEnvironment

MOST_ROWS = 1000


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("-n", "--rows", default=3, type=click.IntRange(1, MOST_ROWS), help="How many rows; 3 by default.")
@click.option("--longest", is_flag=True, help="The longest rows, not the first.")
@click.option("--shortest", is_flag=True, help="The shortest rows.")
@click.option("--random", "at_random", is_flag=True, help="Rows at random; a number behind it is the seed.")
@click.option("--row", "place", metavar="FILE:LINE", help="The row at this place.")
@click.option("--held-out", is_flag=True, help="Rows that are held out, not those that are trained on.")
@click.option("--full", is_flag=True, help="Long texts whole.")
@click.option("--json", "as_json", is_flag=True, help="Print tokens, labels and pieces as JSON.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write one HTML file.")
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
) -> int:
    """Shows rows as the model will see them: what is trained, special tokens, counts, what is cut."""
    values, seed = _without_seed(overrides, at_random)
    ways: dict[Way, bool] = {"longest": longest, "shortest": shortest, "random": at_random, "row": place is not None}
    choice = RowChoice(_one_of(ways), rows, seed, place or "", "held_out" if held_out else "train")
    _check_place(choice)
    with TemporaryDirectory(prefix="ftrun-preview-") as folder, _started_early(Path(folder)) as looker:
        from ftrun_plugins.preview.build import build_preview

        found = build_preview(values, choice, Path(folder), looker)
    if as_json:
        print(json.dumps(found.as_dict()))
    if html is not None:
        from ftrun_plugins.preview.page import page

        write_bytes(html.absolute(), page(found).encode(errors="replace"))
    if not as_json and html is None:
        from ftrun_plugins.preview.terminal import show

        show(found, full)
    elif html is not None and not as_json:
        print(html)
    return 0


def _without_seed(overrides: tuple[str, ...], at_random: bool) -> tuple[list[str], int]:
    """A lone number among the overrides is the seed of `--random`."""
    numbers = [word for word in overrides if at_random and word.isdecimal()]
    return [word for word in overrides if word not in numbers], int(numbers[-1]) if numbers else 0


def _one_of(ways: dict[Way, bool]) -> Way:
    chosen = [way for way, wanted in ways.items() if wanted]
    if len(chosen) > 1:
        raise InvalidInput(Problem("usage", f"rows are chosen in one way, not by --{' and --'.join(chosen)}"))
    return chosen[0] if chosen else "first"


def _check_place(choice: RowChoice) -> None:
    if choice.way == "row" and not choice.place.rpartition(":")[2].isdecimal():
        raise InvalidInput(
            Problem("usage", f"`{choice.place}` is no place of a row", "--row", "FILE:LINE, such as data.jsonl:12")
        )


def _started_early(folder: Path) -> AbstractContextManager[TokenizerClient | None]:
    """A process of the environment that the last preview asked, on the chance that this one asks the same.

    It imports the tokenizer's packages while the recipe is composed and rows are chosen.
    """
    last = TrainerEnvironment.last()
    return TokenizerClient(last, folder, LIGHT) if last else nullcontext()
