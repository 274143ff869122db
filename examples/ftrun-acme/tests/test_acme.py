"""Tests of the contracts of the parts, and of the recipe."""

from __future__ import annotations

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import load
from ftrun.testing import EvaluatorContract, FormatterContract
from ftrun.testing.evaluator import Case
from ftrun_acme.evaluator import Team
from ftrun_acme.formatter import TEAMS, Ticket


class TestTicket(FormatterContract):
    formatter = Ticket
    rows = ({"text": "Where is my parcel?", "team": "delivery"}, {"text": "It does not start.", "team": "technical"})
    bad_rows = ({"text": "", "team": "billing"}, {"text": "Hello", "team": "kitchen"}, {})


class TestTeam(EvaluatorContract):
    evaluator = Team
    cases = tuple(Case(team) for team in TEAMS)
    bad_rows = (Case("kitchen"),)


def test_an_answer_that_names_several_teams_is_undecided() -> None:
    assert Team().score("billing or returns", "returns", {}, Team.Options(undecided=0.5)) == (
        0.5,
        "names several teams",
    )


def test_the_recipe_uses_what_this_package_registers() -> None:
    recipe = load(["recipe=acme_tickets"], plugins()).recipe
    assert recipe.dataset.formatter.name == "acme_ticket"
    assert list(recipe.evals) == ["acme_team", "held_out_loss"]
    assert recipe.optimizations["acme_small_lora"]["lora_r"] == 4


def test_a_misspelt_option_is_refused_like_one_of_ftrun_itself() -> None:
    with pytest.raises(InvalidInput, match=r"unknown key `dataset\.formatter\.longst`"):
        load(["recipe=acme_tickets", "dataset.formatter.longst=9"], plugins())
