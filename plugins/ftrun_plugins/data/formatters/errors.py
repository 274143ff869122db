"""The error that checks deep inside a row raise to reject it."""

from __future__ import annotations

from ftrun.api.rows import Rejected


class InvalidRowError(ValueError):
    """The row is rejected, with a code of `docs/errors.md` and a reason in one sentence without a full stop."""

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        super().__init__(reason)

    def rejected(self) -> Rejected:
        return Rejected(str(self), self.code)
