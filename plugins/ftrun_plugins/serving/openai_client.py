"""Clients of OpenAI-compatible servers. Importing the library takes a second, so functions import it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ftrun.api.errors import InvalidInput, Problem, StageError
from ftrun.api.serving_spec import Endpoint
from ftrun.utils.http import USER_AGENT, client, error_text

if TYPE_CHECKING:
    import httpx2
    from openai import APIError, OpenAI

TIMEOUT = 1200.0  # seconds; a server on another machine may have to start first
RETRIES = 2
ERROR_CHARACTERS = 500
# The library adds the organization and the headers of OPENAI_… variables, and a description of this machine.
SENT_HEADERS = {"accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent"}

Message = dict[str, str]


def make_client(
    base_url: str, key: str | None, timeout: float, retries: int, *, follow_redirects: bool = False
) -> OpenAI:
    """Return a client that uses no variable of the environment. It sends the key only to the host of `base_url`.

    Args:
        base_url: The URL of the API, which usually ends in /v1.
        key: The key, or None if requests contain no key.
        timeout: Maximum time between two bytes in seconds.
        retries: Maximum number of retries after a temporary error, which wait as long as the server asks.
        follow_redirects: Follow redirects; those to another host get no key.
    """
    from openai import OpenAI

    sent = SENT_HEADERS | ({"authorization"} if key else set())

    def remove_headers(request: httpx2.Request) -> None:
        for name in set(request.headers) - sent:
            del request.headers[name]

    return OpenAI(
        api_key=key or "none",  # the library requires a key
        base_url=base_url,
        timeout=timeout,
        max_retries=retries,
        default_headers={"Authorization": f"Bearer {key}", "User-Agent": USER_AGENT},
        http_client=client(timeout, home=base_url, follow_redirects=follow_redirects, on_request=remove_headers),
    )


def explain(error: APIError) -> str:
    """Return the message of the server, or the reason why there is none."""
    from openai import APIConnectionError, APIStatusError

    if isinstance(error, APIConnectionError) and isinstance(error.__cause__, Exception):
        return error_text(error.__cause__)
    message = error.body.get("message") if isinstance(error.body, dict) else None
    if not message and isinstance(error, APIStatusError):
        message = " ".join(error.response.text.split()) or error.response.reason_phrase
    return str(message or error)[:ERROR_CHARACTERS]


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
        self._options: dict[str, Any] = {"max_tokens": max_tokens, "temperature": temperature, "stream": True}
        self._raw = raw

    @cached_property
    def _client(self) -> OpenAI:
        # Modal redirects a request that waits for the start of a server to the same host.
        url = f"{self._endpoint.url}/v1"
        return make_client(url, self._endpoint.key, TIMEOUT, RETRIES, follow_redirects=True)

    def stream(self, model: str, messages: Sequence[Message]) -> Iterator[str]:
        """Yield the pieces of an answer as they arrive.

        Raises:
            InvalidInput: If the server rejects the request; the message contains the server's reason.
            StageError: If the server does not answer.
        """
        from openai import APIConnectionError, APIError, APIStatusError

        try:
            yield from self._stream(model, messages)
        except APIConnectionError as error:
            problem = Problem("server-error", f"it does not answer: {explain(error)}")
            raise StageError("the server", problem) from error
        except APIError as error:
            answer = f"answers {error.status_code}" if isinstance(error, APIStatusError) else "reports an error"
            raise InvalidInput(Problem("server-error", f"the server {answer}: {explain(error)}")) from error

    def _stream(self, model: str, messages: Sequence[Message]) -> Iterator[str]:
        api: Any = self._client.completions if self._raw else self._client.chat.completions
        prompt = {"prompt": messages[-1]["content"]} if self._raw else {"messages": list(messages)}
        with api.create(model=model, **prompt, **self._options) as chunks:
            for choice in (choice for chunk in chunks for choice in chunk.choices or ()):
                text = choice.text if self._raw else choice.delta and choice.delta.content
                if text:
                    yield text
