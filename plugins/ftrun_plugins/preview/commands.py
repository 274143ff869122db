"""The verb `ftrun preview`."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from ftrun.errors import Problem, Refused
from ftrun.plugins import plugins
from ftrun.recipe.load import load
from ftrun.store.files import read_json, write_bytes
from ftrun.store.layout import default_store
from ftrun_plugins.preview.asking import LIGHT, Looker, tokenized
from ftrun_plugins.preview.choice import Choice, Rejected, Way, candidates, is_at, rejected
from ftrun_plugins.preview.examples import Examples, all_examples, first_examples
from ftrun_plugins.preview.found import Found
from ftrun_plugins.preview.planned import Planned, plan_beginning
from ftrun_plugins.preview.seen import Seen
from ftrun_plugins.preview.tokenizer import tokenizer_folder

MOST_ROWS = 1000
REJECTED_SHOWN = 3


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
    choice = Choice(_one_of(ways), rows, seed, place or "", "held_out" if held_out else "train")
    _check_place(choice)
    loaded = load(values, plugins())
    planned = plan_beginning(loaded.recipe, plugins(), default_store())
    planned.prepare("trainer")
    found = _found(planned, choice)
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
        raise Refused(Problem(f"rows are chosen in one way, not by --{' and --'.join(chosen)}"))
    return chosen[0] if chosen else "first"


def _check_place(choice: Choice) -> None:
    if choice.way == "row" and not choice.place.rpartition(":")[2].isdecimal():
        raise Refused(Problem(f"`{choice.place}` is no place of a row", "--row", "FILE:LINE, such as data.jsonl:12"))


def _found(planned: Planned, choice: Choice) -> Found:
    with TemporaryDirectory(prefix="ftrun-preview-") as folder:
        # It imports the tokenizer's packages while rows are formatted and chosen.
        with Looker(planned, Path(folder), LIGHT) as looker:
            if not choice.needs_all:
                with first_examples(planned) as examples:
                    chosen, bad = _chosen(examples, choice)
                    if examples.whole or _enough(chosen, bad, choice):
                        return _seen(planned, examples, choice, chosen, bad, looker, Path(folder))
            with all_examples(planned) as examples:
                chosen, bad = _chosen(examples, choice)
                return _seen(planned, examples, choice, chosen, bad, looker, Path(folder))


def _enough(chosen: list[dict[str, Any]], bad: list[Rejected], choice: Choice) -> bool:
    return bool(chosen or bad) if choice.way == "row" else len(chosen) == choice.count


def _chosen(examples: Examples, choice: Choice) -> tuple[list[dict[str, Any]], list[Rejected]]:
    """Examples to tokenize, and rejected rows to show."""
    found = candidates(examples, choice)
    if choice.way == "row":
        bad = () if found else (one for one in rejected(examples) if is_at(one.place, choice.place))
        return found, list(islice(bad, 1))
    return found, list(islice(rejected(examples), REJECTED_SHOWN))


def _seen(
    planned: Planned,
    examples: Examples,
    choice: Choice,
    chosen: list[dict[str, Any]],
    bad: list[Rejected],
    looker: Looker,
    folder: Path,
) -> Found:
    if not chosen and not bad:
        raise Refused(_nothing(examples, choice))
    rows: list[Seen] = []
    if chosen:
        splits = [example.pop("split") for example in chosen]
        request = {
            "params": planned.call("tokenize").params,
            "kind": _kind(chosen[0]),
            "model": str(tokenizer_folder(planned)),
            "examples": chosen,
        }
        answer = tokenized(planned, looker, folder, request)
        pairs = zip(answer["rows"], splits, strict=True)
        rows = [Seen.of(row, split, answer["sequence_len"]) for row, split in pairs]
    if choice.way in ("longest", "shortest"):
        rows.sort(key=lambda row: row.tokens, reverse=choice.way == "longest")
    count = sum(1 for _ in rejected(examples)) if choice.way != "row" else len(bad)
    problems = examples.problems if choice.way != "row" else ()
    kept = tuple(rows[: choice.count])
    return Found(planned.recipe.name, choice, kept, tuple(bad), count, problems, planned.totals())


def _kind(example: dict[str, Any]) -> str:
    """Of an example as `format` writes it."""
    return next(kind for kind, key in (("chat", "messages"), ("segments", "segments"), ("text", "text")) if key in example)


def _nothing(examples: Examples, choice: Choice) -> list[Problem]:
    if choice.way == "row":
        return [Problem(f"no row is at {choice.place}", "--row", do="give the file as the dataset names it, and its line")]
    if examples.problems:
        return list(examples.problems)
    report = read_json(examples.folder / "report.json") or {}
    what = "no row is held out" if choice.split == "held_out" else "no row is trained on"
    return [Problem(what, do=f"`format` counts {report.get('train', 0)} for training, {report.get('held_out', 0)} held out")]
