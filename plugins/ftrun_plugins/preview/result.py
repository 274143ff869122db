"""Result of a preview."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ftrun.api.errors import Problem
from ftrun_plugins.preview.row_selection import RejectedRow, RowChoice
from ftrun_plugins.preview.tokenized_row import TokenizedRow


@dataclass(frozen=True)
class PreviewResult:
    """The rows to show, and facts about the other rows."""

    recipe: str
    choice: RowChoice
    rows: tuple[TokenizedRow, ...]
    rejected: tuple[RejectedRow, ...]  # only the first
    rejected_count: int
    problems: tuple[Problem, ...]  # errors of `format` that would stop a run
    totals: dict[str, Any]  # of all rows, by split; empty if `tokenize` has not run
    format_notes: tuple[str, ...] = ()  # choices of `format`, such as the formatter

    def notes(self) -> Iterator[str]:
        """Yield remarks about all rows."""
        yield from self.format_notes
        for split, report in self.totals.items():
            if report.get("rows"):
                lost = "".join(f", {report[name]:,} {name}" for name in ("cut", "dropped") if report.get(name))
                counts = f"{report['tokens']:,} tokens, {report['trained_tokens']:,} trained"
                yield f"all {split.replace('_', ' ')} rows: {report['rows']:,} with {counts}{lost}"
        if self.rejected_count > len(self.rejected):
            yield f"and {self.rejected_count - len(self.rejected):,} more rows are rejected"
        if self.problems:
            yield f"a run would stop: {self.problems[0].what}"

    def as_dict(self) -> dict[str, Any]:
        """Return the content of `--json`."""
        return {
            "recipe": self.recipe,
            "chosen": str(self.choice),
            "rows": [row.as_dict() for row in self.rows],
            "rejected": [_rejected_as_dict(row) for row in self.rejected],
            "rejected_count": self.rejected_count,
            "problems": [problem.as_dict() for problem in self.problems],
            "totals": self.totals,
            "notes": list(self.format_notes),
        }


def _rejected_as_dict(row: RejectedRow) -> dict[str, str]:
    return {"place": row.place, "reason": row.reason, "raw": row.raw}
