"""The rules of CONTRIBUTING.md for plain language hold in code, pages and help texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ftrun.cli.commands import builtin_commands
from helpers.prose import docstrings, files_below, questions, stand_ins

ROOT = Path(__file__).parents[1]
SOURCES = [ROOT / "runner", ROOT / "plugins"]
PAGES = [ROOT / "docs", ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]
MOST_QUESTIONS = 0.02  # of all docstrings
FRAGMENT = re.compile(r"(of|on|in|at|by|for|from|with|without|to)\b", re.IGNORECASE)


def test_docstrings_do_not_begin_with_a_question_word() -> None:
    files = [file for file in files_below(*SOURCES) if file.suffix == ".py"]
    number = sum(1 for file in files for _ in docstrings(file.read_text(encoding="utf-8")))
    found = [str(remark) for file in files for remark in questions(file)]
    assert len(found) <= MOST_QUESTIONS * number, "\n".join(found)


@pytest.mark.parametrize("place", [*SOURCES, *PAGES], ids=lambda path: path.name)
def test_no_word_stands_in_for_a_plain_one(place: Path) -> None:
    assert not [str(remark) for file in files_below(place) for remark in stand_ins(file)]


def commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            yield from commands(f"{name} {inner.name}", inner)


@pytest.mark.parametrize("name", builtin_commands())
def test_help_texts_are_sentences(name: str) -> None:
    for place, command in commands(name, builtin_commands()[name].load()):
        texts = {place: (command.help or "").partition("\n\n")[0]}
        texts |= {f"{place} {one.opts[0]}": one.help or "" for one in command.params if isinstance(one, click.Option)}
        for where, text in texts.items():
            assert re.fullmatch(r"[A-Z`].*[.)]", " ".join(text.split())), f"{where}: {text!r}"
            assert len(text.split()) >= 3, f"{where}: {text!r}"
            assert not FRAGMENT.match(text), f"{where}: {text!r}"


@pytest.mark.parametrize(
    ("source", "number"),
    [
        ('"""What it does."""\n', 1),
        ('"""Return the text."""\n', 0),
        ('def f():\n    """Whether it is so."""\n', 1),
        ('class A:\n    """Of all rows the first."""\n', 1),
    ],
)
def test_a_question_is_found(source: str, number: int, tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text(source)
    assert len(list(questions(file))) == number


@pytest.mark.parametrize(
    "line", ["# it goes on", '"the user is told"', "# None where there is none", "# mend the row", "# of its own"]
)
def test_a_stand_in_is_found(line: str, tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text(line + "\n")
    assert list(stand_ins(file))
