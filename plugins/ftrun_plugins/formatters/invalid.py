"""How a check deep inside a row says that the row is to be rejected."""

from __future__ import annotations


class InvalidRowError(ValueError):
    """The row is to be rejected; the message is the reason, in one sentence without a full stop."""
