"""The formatter `acme_ticket`: a ticket in, the team that answers it out."""

from __future__ import annotations

from typing import ClassVar

from ftrun.api.rows import Chat, Column, FormatterOptions, Rejected, Row

TEAMS = ("billing", "delivery", "returns", "technical")


class Ticket:
    """A customer's ticket, to be answered by the name of one team."""

    name: ClassVar[str] = "acme_ticket"

    class Options(FormatterOptions):
        """Columns of the row, and how long a ticket may be, in characters."""

        text: Column = "text"
        team: Column = "team"
        longest: int = 2_000

    def format(self, row: Row, options: Options) -> Chat | Rejected:
        """The conversation. A ticket of an unknown team is rejected, and so is one that is empty or too long."""
        text, team = row.values.get(options.text), row.values.get(options.team)
        if not isinstance(text, str) or not text.strip():
            return Rejected(f"`{options.text}` is no text")
        if len(text) > options.longest:
            return Rejected(f"`{options.text}` has {len(text):,} characters, more than {options.longest:,}")
        if team not in TEAMS:
            return Rejected(f"`{options.team}` is none of {', '.join(TEAMS)}")
        question = f"Which team answers this ticket: {', '.join(TEAMS)}?\n\n{text.strip()}"
        return Chat([{"role": "user", "content": question}, {"role": "assistant", "content": team}])
