"""Client of OpenAI's API that streams answers."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Any

from ftrun.api.errors import InvalidInput, Problem, StageError
from ftrun.api.serving_spec import Endpoint

TIMEOUT = 1200.0  # seconds; a server on another machine may have to start first

Message = dict[str, str]


class ChatClient:
    """Client for the requests of one chat.

    Args:
        endpoint: The server.
        max_tokens: Maximum number of tokens per answer.
        temperature: Sampling temperature; 0 always takes the likeliest token.
        raw: Send only the text of the last message, without the chat template.
    """

    def __init__(self, endpoint: Endpoint, max_tokens: int, temperature: float, raw: bool) -> None:
        self._endpoint = endpoint
        self._options = {"max_tokens": max_tokens, "temperature": temperature, "stream": True}
        self._raw = raw

    def stream(self, model: str, messages: Sequence[Message]) -> Iterator[str]:
        """Yield the pieces of an answer as they arrive.

        Raises:
            InvalidInput: If the server rejects the request; the message contains the server's reason.
            StageError: If the server does not answer.
        """
        prompt: dict[str, Any] = {"prompt": messages[-1]["content"]} if self._raw else {"messages": list(messages)}
        path = "completions" if self._raw else "chat/completions"
        for choice in self._choices(path, {"model": model, **self._options, **prompt}):
            text = choice.get("text") if self._raw else choice.get("delta", {}).get("content")
            if text:
                yield text

    def _choices(self, path: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        headers = {"Content-Type": "application/json"}
        if self._endpoint.key:
            headers["Authorization"] = f"Bearer {self._endpoint.key}"
        url = f"{self._endpoint.url}/v1/{path}"
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310  (http or https)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                for line in answer:
                    if line.startswith(b"data: {"):
                        yield from json.loads(line.removeprefix(b"data: ")).get("choices", ())
        except urllib.error.HTTPError as error:
            raise InvalidInput(
                Problem("server-error", f"the server answers {error.code}: {_error_text(error.read())}")
            ) from error
        except OSError as error:
            raise StageError("the server", Problem("server-error", f"it does not answer: {error}")) from error


def _error_text(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["error"]["message"])[:500]
    except (ValueError, KeyError, TypeError):
        return answer.decode(errors="replace")[:300]
