"""Every shipped recipe: its header, its commands, and what a newcomer runs of it."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from ftrun.api.config_dirs import own_folders, recipe_names
from ftrun.api.recipe import Recipe
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import load

RECIPES = own_folders().recipes or Path()
NAMES = recipe_names(RECIPES)
HEADER = (r"# [A-Z].*[.:]$|# [A-Z].*\.yml\.$", r"# Needs: \S.*\.$", r"# Run:   ftrun \S.*$", r"# Try:   ftrun \S.*$")
LONGEST_LINE = 120


def header(name: str) -> list[str]:
    return (RECIPES / f"{name}.yaml").read_text().splitlines()[:4]


@cache
def shipped(name: str) -> Recipe:
    return load([f"recipe={name}"], plugins()).recipe


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_opens_with_what_it_does_what_it_needs_its_command_and_a_try(name: str) -> None:
    for line, pattern in zip(header(name), HEADER, strict=True):
        assert re.match(pattern, line), line
        assert len(line) <= LONGEST_LINE
    assert not (RECIPES / f"{name}.yaml").read_text().splitlines()[4].startswith("#")


@pytest.mark.parametrize("name", NAMES)
def test_the_commands_of_a_header_are_valid(name: str, folder: Path) -> None:
    run, attempt = (shlex.split(line)[3:] for line in header(name)[2:])
    assert run == [f"recipe={name}"]
    assert attempt[0] == f"recipe={name}"
    assert len(attempt) > 1
    other = load(attempt, plugins()).recipe
    assert other.name == name
    assert other != shipped(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_says_what_its_model_is(name: str) -> None:
    """For estimates of memory and disk, and for the check of lengths."""
    model = shipped(name).model
    assert model.parameters
    assert model.context_length


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_that_needs_a_token_says_so(name: str) -> None:
    assert shipped(name).model.gated is ("HF_TOKEN" in header(name)[1])


def test_there_are_recipes_of_every_kind() -> None:
    methods = {name.rpartition("_")[2] for name in NAMES}
    assert {"full", "lora", "qlora", "sql"} <= methods
    assert len(NAMES) > 20
