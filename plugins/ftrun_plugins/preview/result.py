"""All that a preview has to show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ftrun.api.errors import Problem
from ftrun_plugins.preview.row_selection import RejectedRow, RowChoice
from ftrun_plugins.preview.tokenized_row import TokenizedRow


@dataclass(frozen=True)
class PreviewResult:
    """The rows, and what is known of the others."""

    recipe: str
    choice: RowChoice
    rows: tuple[TokenizedRow, ...]
    rejected: tuple[RejectedRow, ...]  # the first of them
    rejected_count: int
    problems: tuple[Problem, ...]  # that `format` would stop a run with
    totals: dict[str, Any]  # of all rows, by split, where `tokenize` has run
    decided: tuple[str, ...] = ()  # by the data, such as the formatter

    def notes(self) -> Iterator[str]:
        """What a person should know beside the rows."""
        yield from self.decided
        for split, report in self.totals.items():
            if report.get("rows"):
                left = "".join(f", {report[name]:,} {name}" for name in ("cut", "dropped") if report.get(name))
                counts = f"{report['tokens']:,} tokens, {report['trained_tokens']:,} trained"
                yield f"all {split.replace('_', ' ')} rows: {report['rows']:,} with {counts}{left}"
        if self.rejected_count > len(self.rejected):
            yield f"and {self.rejected_count - len(self.rejected):,} more rows are rejected"
        if self.problems:
            yield f"a run would stop: {self.problems[0].what}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe,
            "chosen": str(self.choice),
            "rows": [row.as_dict() for row in self.rows],
            "rejected": [vars_of(row) for row in self.rejected],
            "rejected_count": self.rejected_count,
            "problems": [problem.as_dict() for problem in self.problems],
            "totals": self.totals,
            "notes": list(self.decided),
        }


def vars_of(row: RejectedRow) -> dict[str, str]:
    return {"place": row.place, "reason": row.reason, "raw": row.raw}
