"""Totals over the scored rows: means, verdicts, and the numbers of unscored rows and of cut answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.serving_spec import BASE, TUNED
from ftrun_plugins.evaluation.candidates import NO_ROWS

ROLES = (BASE, TUNED)
MOST_REASONS = 5  # of unscored rows, in messages
HINT = "fix the rows, or remove this evaluation"


class Summary:
    """Totals of one evaluation."""

    def __init__(self) -> None:
        self.rows = 0
        self._scored = 0  # rows in which each model has a score
        self._sums, self._counts = dict.fromkeys(ROLES, 0.0), Counter[str]()
        self._verdicts, self._cut = Counter[str](), Counter[str]()
        self._reasons: Counter[str] = Counter()
        self._problems: dict[str, Problem] = {}  # by reason
        self._places: dict[str, str] = {}  # of the first row, by reason

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
        if reason is None:
            self._scored += 1
        else:
            self._reasons[reason] += 1
            self._problems.setdefault(reason, problem or Problem("unscored", reason, row["place"], hint=HINT))
            self._places.setdefault(reason, row["place"])

    def require_scores(self) -> None:
        """Raise InvalidInput if there are no rows, or if no row is scored."""
        if not self.rows:
            raise InvalidInput(NO_ROWS)
        if not self._scored:
            raise InvalidInput([self._problems[reason] for reason, _ in self._reasons.most_common(MOST_REASONS)])

    @property
    def warning(self) -> str | None:
        """Number of unscored rows with the most frequent reasons, or None."""
        if not self._reasons:
            return None
        frequent = self._reasons.most_common(MOST_REASONS)
        reasons = "; ".join(f"{reason} ({count}, first at {self._places[reason]})" for reason, count in frequent)
        return f"{self._reasons.total()} of {self.rows} rows are unscored: {reasons}"

    @property
    def metrics(self) -> dict[str, Any]:
        """Totals for the record of the run."""
        means = {role: round(self._sums[role] / self._counts[role], 6) for role in ROLES if self._counts[role]}
        unscored = {"unscored": self._reasons.total()} if self._reasons else {}
        counts = {"verdicts": dict(self._verdicts), "cut": dict(self._cut)}
        return {"rows": self.rows, **means, **unscored, **{name: count for name, count in counts.items() if count}}
