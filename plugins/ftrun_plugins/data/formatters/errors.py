"""Error with which nested checks reject a row."""

from __future__ import annotations

from ftrun.api.rows import Rejected


class InvalidRowError(ValueError):
    """Rejection of a row. The code is in `docs/reference/errors.md`; the reason is one sentence without a full stop."""

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        super().__init__(" ".join(reason.split()))  # names and values of a row may have line ends

    def to_rejected(self) -> Rejected:
        """Return the result of the formatter for the row."""
        return Rejected(str(self), self.code)
