"""The evaluator `acme_team`: scores whether the model assigns a ticket to the right team."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from ftrun.api.rows import Options as BaseOptions
from ftrun_acme.formatter import TEAMS

WORD = re.compile(r"[a-z]+")


class Team:
    """Fraction of tickets that the model assigns to the right team."""

    name: ClassVar[str] = "acme_team"
    needs: ClassVar[str] = "predictions"
    higher_is_better: ClassVar[bool] = True

    class Options(BaseOptions):
        """Score of an answer that names several teams, including the right team."""

        undecided: float = 0.0

    def score(self, prediction: str, reference: str, row: Mapping[str, Any], options: Any) -> tuple[float, str | None]:
        """Return the score, and the reason if the answer is wrong.

        Raises:
            ValueError: If the reference is not a team.
        """
        if reference not in TEAMS:
            raise ValueError(f"the reference is not one of {', '.join(TEAMS)}")
        teams = set(WORD.findall(prediction.lower())).intersection(TEAMS)
        if teams == {reference}:
            return 1.0, None
        if reference in teams:
            return options.undecided, "names several teams"
        return 0.0, "names another team" if teams else "names no team"
