"""One request and its answer, within limits of size and time; standard library only, for it runs with the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from ftrun_plugins.serving import http_errors
from ftrun_plugins.serving.http_errors import App, HttpError, Message, Receive, Send

GRACE = 1.0  # seconds that either side has once time is over: the client to hear it, the engine to let go


@dataclass(frozen=True)
class Limits:
    """What the recipe's section `serve` says of requests; times in seconds."""

    max_requests: int
    max_request_bytes: int
    request_timeout: float
    stream_timeout: float


class LimitedRequest:
    """Reads the whole request first, as every engine does: so the engine gets none that is too large or half.

    Nothing of an answer goes out before its first byte is there: until then it can still become a 504. `free` gives the
    request's place back before the last byte goes out: whoever has that may ask again at once.
    """

    def __init__(
        self, app: App, limits: Limits, scope: Message, receive: Receive, send: Send, free: Callable[[], None]
    ) -> None:
        self._app = app
        self._limits = limits
        self._scope = scope
        self._receive = receive
        self._send = send
        self._free = free
        self._now = asyncio.get_running_loop().time
        self._began = self._now()
        self._deadline = self._began + limits.request_timeout
        self._request: bytes | None = None
        self._start: Message | None = None  # of the answer; kept back until its first byte
        self._begun = self._ended = False
        self._over = asyncio.Event()  # nobody waits for the answer any more

    async def run(self) -> None:
        """Returns once the engine has nothing to do with the request any more."""
        try:
            async with asyncio.timeout_at(self._deadline):
                found = await self._read()
        except TimeoutError:
            found = http_errors.too_slow(self._limits.request_timeout)
        if isinstance(found, HttpError):
            await found.answer_unread(self._scope, self._receive, self._send)
        elif found is not None:
            self._request = found
            await self._answer()

    async def _read(self) -> bytes | HttpError | None:
        """The body; None where the client has gone."""
        pieces, size, more = [], 0, True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return None
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            if size > self._limits.max_request_bytes:
                return http_errors.too_large(self._limits.max_request_bytes)
            more = message.get("more_body", False)
        return b"".join(pieces)

    async def _answer(self) -> None:
        answering = asyncio.ensure_future(self._app(self._scope, self._hand_over, self._pass_on))
        waiting = asyncio.create_task(self._wait_for_client())
        try:
            await asyncio.wait((answering, waiting), return_when=asyncio.FIRST_COMPLETED)
            if self._ended or not waiting.done():
                await answering
                return
            self._over.set()  # the engine hears that the client has gone, whether it has or its time is over
            if waiting.result():
                with suppress(TimeoutError):  # of a client that takes nothing any more
                    await asyncio.wait_for(self._end_late(), GRACE)
            await asyncio.wait((answering,), timeout=GRACE)
        finally:
            waiting.cancel()
            answering.cancel()

    async def _wait_for_client(self) -> bool:
        """Whether time was over before the client went."""
        while self._now() < self._deadline:
            try:
                async with asyncio.timeout_at(self._deadline):
                    await self._receive()  # after the body there is nothing but the end
                    return False
            except TimeoutError:
                continue  # an answer that began meanwhile has longer
        return True

    async def _end_late(self) -> None:
        if not self._begun:
            await http_errors.late(self._limits.request_timeout).answer(self._send)
        elif _is_event_stream(self._start):
            body = b"data: " + http_errors.cut(self._limits.stream_timeout).body + b"\n\n"
            await self._send({"type": "http.response.body", "body": body})

    async def _hand_over(self) -> Message:
        """What the engine receives: the body at once, then nothing until nobody waits."""
        if self._request is not None:
            body, self._request = self._request, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def _pass_on(self, message: Message) -> None:
        if self._over.is_set():
            return
        if message["type"] == "http.response.start":
            self._start = message
            return
        if not self._begun and self._start is not None:
            self._begun = True
            self._deadline = self._began + max(self._limits.request_timeout, self._limits.stream_timeout)
            await self._send(self._start)
        self._ended = not message.get("more_body", False)
        if self._ended:
            self._free()
        await self._send(message)


def _is_event_stream(start: Message | None) -> bool:
    headers = dict(start["headers"]) if start else {}
    return bool(headers.get(b"content-type", b"").startswith(b"text/event-stream"))
