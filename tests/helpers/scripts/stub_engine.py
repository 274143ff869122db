"""An engine without a model, behind the middleware and the connections of real ones: `engine_main` runs it.

… ftrun_plugins.serving.engine_main stub_engine PORT
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import uvicorn

from ftrun_plugins.serving.middleware import AuthMiddleware

ROUTES = {
    "/health": "GET, HEAD",
    "/v1/models": "GET, HEAD",
    "/v1/completions": "POST",
    "/slow": "POST",
    "/broken": "POST",
}
SECONDS = 3.0  # until the answer of /slow


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    allowed = ROUTES.get(scope["path"])
    status = 404 if allowed is None else 200 if scope["method"] in allowed.split(", ") else 405
    headers = [(b"allow", allowed.encode())] if allowed and status == 405 else []
    body = b'{"detail":"of the engine"}'
    while (await receive()).get("more_body"):
        pass
    if scope["path"] == "/slow":
        await asyncio.sleep(SECONDS)
    if scope["path"] == "/broken":
        raise RuntimeError("of the engine")
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    uvicorn.run(
        AuthMiddleware(application), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", lifespan="off"
    )
