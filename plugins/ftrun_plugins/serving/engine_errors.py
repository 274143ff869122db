"""Answers of engines with status 404 and 405, in the shape of OpenAI's API and with the names that are served.

Engines answer in shapes that depend on the version and the route. Standard library only.
"""

from __future__ import annotations

from collections.abc import Collection

from ftrun_plugins.serving import http_errors
from ftrun_plugins.serving.http_errors import App, HttpError, Message, Receive, Send
from ftrun_plugins.serving.request_limits import parse_object

MODELS = "/v1/models/"


class EngineErrors:
    """ASGI middleware around an engine. `names` are the models that it serves."""

    def __init__(self, app: App, names: Collection[str]) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        body, replaced = b"", False

        async def hear(*_: object) -> Message:
            nonlocal body
            message = await receive()
            body = message.get("body") or body
            return message

        async def answer(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] in (404, 405):
                replaced = True
                await self._explain(scope, message, body).answer(send)
            elif not replaced:
                await send(message)

        await self._app(scope, hear, answer)

    def _explain(self, scope: Message, start: Message, body: bytes) -> HttpError:
        path, method = scope["path"], scope["method"]
        if start["status"] == 405:
            return http_errors.method_not_allowed(method, path, dict(start["headers"]).get(b"allow", b""))
        model = path.removeprefix(MODELS) if path.startswith(MODELS) else parse_object(body).get("model")
        if isinstance(model, str) and model not in self._names:
            return http_errors.unknown_model(model, self._names)
        return http_errors.unknown_path(path)
