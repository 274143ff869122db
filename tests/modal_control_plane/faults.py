"""What fails on purpose: some RPCs a number of times, or all of them for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from grpclib import GRPCError, Status


class Faults:
    def __init__(self) -> None:
        self.by_rpc: dict[str, tuple[Status, int]] = {}
        self.lost: set[str] = set()  # RPCs whose next answer gets lost
        self._away = False
        self._polling: set[asyncio.Future[Any]] = set()

    def before(self, rpc: str) -> None:
        if self._away:
            raise GRPCError(Status.UNAVAILABLE, "the control plane is away")
        if rpc in self.by_rpc:
            status, count = self.by_rpc.pop(rpc)
            if count > 1:
                self.by_rpc[rpc] = (status, count - 1)
            raise GRPCError(status, f"{rpc} fails on purpose")

    def after(self, rpc: str) -> None:
        if rpc in self.lost:
            self.lost.discard(rpc)
            raise GRPCError(Status.UNAVAILABLE, f"the answer to {rpc} is lost on purpose")

    async def poll(self, answer: Awaitable[Any]) -> Any:
        """Waits for a long poll, which an outage ends at once as a lost connection would."""
        task = asyncio.ensure_future(answer)
        self._polling.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if self._away:
                raise GRPCError(Status.UNAVAILABLE, "the control plane went away") from None
            raise
        finally:
            self._polling.discard(task)

    async def fail_for(self, seconds: float) -> None:
        self._away = True
        for task in self._polling:
            task.cancel()
        await asyncio.sleep(seconds)
        self._away = False
