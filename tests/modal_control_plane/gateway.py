"""Web servers behind an address: a port for each `web_server` function or `server` passes requests to its container."""

from __future__ import annotations

import asyncio
import time

import aiohttp
from aiohttp import web

from .scheduling import Scheduler
from .state import Function, State

DROPPED = {"host", "connection", "transfer-encoding", "content-length", "modal-key", "modal-secret"}


class Gateways:
    def __init__(self, state: State, scheduler: Scheduler, token: tuple[str, str]) -> None:
        self._state, self._scheduler, self._token = state, scheduler, token
        self._runners: dict[str, tuple[web.AppRunner, str]] = {}
        self._session: aiohttp.ClientSession | None = None

    async def open(self, function_id: str) -> str:
        """The address of a function, which stays the same when it is deployed anew."""
        if function_id not in self._runners:
            app = web.Application(client_max_size=1 << 40)

            async def answer(request: web.Request) -> web.StreamResponse:
                return await self._answer(function_id, request)

            app.router.add_route("*", "/{path:.*}", answer)
            self._runners[function_id] = await serve_http(app)
        return self._runners[function_id][1]

    async def close(self) -> None:
        for runner, _ in self._runners.values():
            await runner.cleanup()
        if self._session:
            await self._session.close()

    async def _answer(self, function_id: str, request: web.Request) -> web.StreamResponse:
        function = self._state.function(function_id)
        given = (request.headers.get("Modal-Key"), request.headers.get("Modal-Secret"))
        if _protected(function) and given != self._token:
            return web.Response(status=401, text="modal-http: missing or wrong credentials for proxy authorization\n")
        definition = function.definition
        if definition.HasField("http_config"):
            port, patience = definition.http_config.port, float(definition.http_config.startup_timeout)
        else:
            config = definition.webhook_config
            port, patience = config.web_server_port, config.web_server_startup_timeout
        end = time.monotonic() + (patience or 30)
        if not await self._ready(function, end):
            return web.Response(status=503, text="modal-http: the server did not start\n")
        return await self._forward(request, f"http://127.0.0.1:{port}{request.path_qs}", end)

    async def _ready(self, function: Function, end: float) -> bool:
        """Whether a container serves; starts one if none does."""

        def serving() -> bool:
            return any(each.ready and not each.stopping for each in function.containers.values())

        if not any(not each.stopping for each in function.containers.values()):
            self._scheduler.start(function)
        return await function.changed.until(serving, end - time.monotonic())

    async def _forward(self, request: web.Request, url: str, end: float) -> web.StreamResponse:
        if self._session is None:
            self._session = aiohttp.ClientSession(auto_decompress=False)
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in DROPPED}
        while True:
            try:
                async with self._session.request(request.method, url, data=body, headers=headers) as theirs:
                    return await _pass_on(request, theirs)
            except aiohttp.ClientConnectorError:
                if time.monotonic() > end:
                    return web.Response(status=503, text="modal-http: the server does not answer\n")
                await asyncio.sleep(0.05)


async def _pass_on(request: web.Request, theirs: aiohttp.ClientResponse) -> web.StreamResponse:
    response = web.StreamResponse(status=theirs.status)
    for name, value in theirs.headers.items():
        if name.lower() not in DROPPED:
            response.headers.add(name, value)
    await response.prepare(request)
    async for chunk in theirs.content.iter_any():
        await response.write(chunk)
    return response


def _protected(function: Function) -> bool:
    definition = function.definition
    if definition.HasField("http_config"):
        return not definition.http_config.unauthenticated
    return definition.webhook_config.requires_proxy_auth


async def serve_http(app: web.Application) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"
