"""The formatter `acme_ticket`: a ticket as the question, and the name of a team as the answer."""

from __future__ import annotations

from typing import ClassVar

from ftrun.api.rows import Chat, Column, FormatterOptions, Rejected, Row

TEAMS = ("billing", "delivery", "returns", "technical")


class Ticket:
    """Ticket of a customer, with the name of one team as the answer."""

    name: ClassVar[str] = "acme_ticket"

    class Options(FormatterOptions):
        """Columns of the row, and maximum length of a ticket in characters."""

        text: Column = "text"
        team: Column = "team"
        longest: int = 2_000

    def format(self, row: Row, options: Options) -> Chat | Rejected:
        """Return the conversation. Rejects tickets that are empty or too long, and tickets of unknown teams."""
        text, team = row.values.get(options.text), row.values.get(options.team)
        if not isinstance(text, str) or not text.strip():
            return Rejected(f"`{options.text}` must be a string that is not blank")
        if len(text) > options.longest:
            return Rejected(f"`{options.text}` has {len(text):,} characters, more than {options.longest:,}")
        if team not in TEAMS:
            return Rejected(f"`{options.team}` is not one of {', '.join(TEAMS)}")
        question = f"Which team answers this ticket: {', '.join(TEAMS)}?\n\n{text.strip()}"
        return Chat([{"role": "user", "content": question}, {"role": "assistant", "content": team}])
