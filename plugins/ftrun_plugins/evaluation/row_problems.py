"""Problems of rows by reason, with the number of rows and the first places of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ftrun.api.errors import MOST_PROBLEMS, Problem
from ftrun.utils.text import MOST_PLACES, list_places, message_kind

MOST_KINDS = 1000  # reasons that are counted separately; bounds the memory
OTHERS = "other reasons"


class RowProblems:
    """Collector of problems. Reasons that differ only in names and numbers are one kind."""

    def __init__(self) -> None:
        self._first: dict[str, Problem] = {}  # by kind
        self._places: dict[str, list[str]] = {}
        self._kinds: Counter[str] = Counter()

    def add(self, problem: Problem, place: str) -> None:
        """Add the problem of a row. The problem keeps its own place if it has one."""
        kind = message_kind(problem.what)
        if len(self._kinds) >= MOST_KINDS and kind not in self._kinds:
            kind = OTHERS
        self._kinds[kind] += 1
        self._first.setdefault(kind, problem)
        places = self._places.setdefault(kind, [])
        if len(places) < MOST_PLACES:
            places.append(place)

    @property
    def count(self) -> int:
        return self._kinds.total()

    def problems(self) -> Sequence[Problem]:
        """Return one problem for each of the most frequent reasons."""
        return [
            problem if problem.at else replace(problem, at=self._list_rows(kind))
            for kind, _ in self._kinds.most_common(MOST_PROBLEMS)
            for problem in (self._first[kind],)
        ]

    def describe(self, most: int) -> str:
        """Return the most frequent reasons with their places, as one line."""
        return "; ".join(
            f"{self._first[kind].what} ({self._list_rows(kind)})" for kind, _ in self._kinds.most_common(most)
        )

    def _list_rows(self, kind: str) -> str:
        return list_places(self._places[kind], self._kinds[kind], "more rows")
