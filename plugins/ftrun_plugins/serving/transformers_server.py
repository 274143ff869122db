"""Engine for machines without vLLM: parts of `transformers serve` behind the routes and errors of OpenAI's API.

… MODULE --host H --port P [--max-model-len N] [--trust-remote-code]
  [--default-chat-template-kwargs JSON] [--tool-call-parser NAME] [--reasoning-parser NAME] base=FOLDER tuned=FOLDER
"""

from __future__ import annotations

import argparse
import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from ftrun_plugins.serving.answer_parser import AnswerFormat
from ftrun_plugins.serving.http_errors import HttpError
from ftrun_plugins.serving.middleware import AuthMiddleware

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from ftrun_plugins.serving.transformers_handlers import Models

# Raised for malformed requests: a missing key, a text instead of a list, …
REQUEST_ERRORS = (KeyError, TypeError, ValueError, AttributeError, RecursionError)


def main() -> None:
    """Load the models and answer requests until the process is stopped."""
    import uvicorn

    from ftrun_plugins.serving.transformers_handlers import Models

    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--max-model-len", type=int)
    parser.add_argument("--trust-remote-code", action="store_true")
    parser.add_argument("--default-chat-template-kwargs", type=json.loads, default={})
    parser.add_argument("--tool-call-parser")
    parser.add_argument("--reasoning-parser")
    parser.add_argument("models", nargs="+")
    arguments = parser.parse_args()
    models = Models(dict(text.split("=", 1) for text in arguments.models), arguments.trust_remote_code)
    longest = arguments.max_model_len or models.longest
    answers = AnswerFormat.of(arguments.tool_call_parser, arguments.reasoning_parser)
    application = _application(models, longest, arguments.default_chat_template_kwargs, answers)
    uvicorn.run(AuthMiddleware(application), host=arguments.host, port=arguments.port, log_level="warning")


def _application(models: Models, longest: int, template: dict[str, Any], answers: AnswerFormat) -> Any:
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    from ftrun_plugins.serving.transformers_handlers import Chats, Completions, State

    state = State(longest)
    began = int(time.time())

    async def health(request: Request) -> Response:
        return Response()

    async def list_models(request: Request) -> Response:
        fields = {"object": "model", "created": began, "owned_by": "ftrun", "max_model_len": longest}
        return JSONResponse({"object": "list", "data": [{"id": name, **fields} for name in models.names]})

    def route(path: str, handler: Any) -> Route:
        async def answer(request: Request) -> Response:
            return await _answer(request, handler, models.names)

        return Route(path, answer, methods=["POST"])

    routes = [
        Route("/health", health),
        Route("/v1/models", list_models),
        route("/v1/chat/completions", Chats(models, state, template, answers)),
        route("/v1/completions", Completions(models, state)),
    ]
    return Starlette(routes=routes)


async def _answer(request: Request, handler: Any, names: list[str]) -> Response:
    from jinja2 import TemplateError
    from starlette.exceptions import HTTPException
    from starlette.responses import StreamingResponse

    try:
        body = json.loads(await request.body())
        if not isinstance(body, dict):
            return _error(400, "a request has to be a JSON object")
        if body.setdefault("model", names[0]) not in names:
            return _error(404, f"unknown model `{body['model']}`; the models are {', '.join(names)}")
        answer: Response = await handler.handle_request(body, uuid.uuid4().hex)
    except HTTPException as error:
        return _error(400 if error.status_code == 422 else error.status_code, str(error.detail))
    except (*REQUEST_ERRORS, TemplateError) as error:
        return _error(400, f"the request cannot be read: {type(error).__name__}: {error}")
    if isinstance(answer, StreamingResponse):
        answer.body_iterator = _with_end_marker(answer.body_iterator)
    return answer


async def _with_end_marker(pieces: Any) -> AsyncIterator[str]:
    """Yield the events of a stream and the end marker of OpenAI's API.

    The first event exists before the model has written anything. It is held back until the second.
    """
    async with aclosing(pieces):
        first = await anext(pieces, "")
        async for piece in pieces:
            yield first + piece
            first = ""
        yield f"{first}data: [DONE]\n\n"


def _error(status: int, text: str) -> Response:
    from starlette.responses import Response

    error = HttpError(status, "invalid_request_error", "bad_request" if status == 400 else "not_found", text)
    return Response(error.body, status, media_type="application/json")


if __name__ == "__main__":
    main()
