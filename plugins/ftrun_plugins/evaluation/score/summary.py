"""Totals over the scored rows: means, verdicts, and the numbers of unscored rows and of cut answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.serving_spec import BASE, TUNED
from ftrun_plugins.evaluation.candidates import NO_ROWS
from ftrun_plugins.evaluation.row_problems import RowProblems

ROLES = (BASE, TUNED)
MOST_REASONS = 5  # of unscored rows, in a warning
HINT = "fix the rows, or remove this evaluation"


class Summary:
    """Totals of one evaluation."""

    def __init__(self) -> None:
        self.rows = 0
        self._sums, self._counts = dict.fromkeys(ROLES, 0.0), Counter[str]()
        self._verdicts, self._cut = Counter[str](), Counter[str]()
        self._unscored = RowProblems()

    def add(self, row: Mapping[str, Any], problem: Problem | None = None) -> None:
        """Add a row. `problem` is why it is unscored, if something else than the row is at fault."""
        self.rows += 1
        scores = {role: row[role] for role in ROLES if role in row}
        for role, score in scores.items():
            self._cut.update([role] if score.get("cut") else [])
            if score["score"] is not None:
                self._sums[role] += score["score"]
                self._counts[role] += 1
        self._verdicts.update([row["verdict"]] if row.get("verdict") else [])
        reason = next((str(score["reason"]) for score in scores.values() if score["score"] is None), None)
        if reason is not None:
            self._unscored.add(problem or Problem("unscored", reason, hint=HINT), row["place"])

    def require_scores(self) -> None:
        """Raise InvalidInput if there are no rows, or if no row has all scores."""
        if not self.rows:
            raise InvalidInput(NO_ROWS)
        if self._unscored.count == self.rows:
            raise InvalidInput(self._unscored.problems())

    @property
    def warning(self) -> str | None:
        """Number of unscored rows with the most frequent reasons, or None."""
        count = self._unscored.count
        return f"{count} of {self.rows} rows are unscored: {self._unscored.describe(MOST_REASONS)}" if count else None

    @property
    def metrics(self) -> dict[str, Any]:
        """Totals for the record of the run."""
        means = {role: round(self._sums[role] / self._counts[role], 6) for role in ROLES if self._counts[role]}
        unscored = {"unscored": self._unscored.count} if self._unscored.count else {}
        counts = {"verdicts": dict(self._verdicts), "cut": dict(self._cut)}
        return {"rows": self.rows, **means, **unscored, **{name: count for name, count in counts.items() if count}}
