"""Client of an OpenAI-compatible endpoint that judges, with errors of the row apart from errors of the endpoint."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.secrets import as_token
from ftrun_plugins.serving.openai_client import explain, make_client

if TYPE_CHECKING:
    from openai import OpenAI

KEY, KEY_OF_OPENAI = "JUDGE_API_KEY", "OPENAI_API_KEY"  # the secret `judge`
REQUEST_ERRORS = (400, 413, 422)  # the row is wrong, e.g. too long for the model
HINTS = {
    401: f"set {KEY}",
    403: f"set {KEY}",
    404: "correct `model`, or `base_url`, which usually ends in /v1",
    429: "lower `at_once`, or wait",
}


@dataclass(frozen=True)
class Reply:
    """Chat completion.

    Args:
        text: The text. It is empty if there is none.
        model: The name of the model that the endpoint reports.
        remark: The refusal, or why the text ended.
    """

    text: str
    model: str | None
    remark: str


@dataclass(frozen=True)
class Endpoint:
    """Address of the model, and timeout and retries of requests."""

    base_url: str
    timeout: float  # seconds
    retries: int

    def answer(self, request: Mapping[str, Any]) -> Reply:
        """Return a chat completion.

        Raises:
            InvalidInput: If the endpoint cannot be reached or rejects all requests.
            ValueError: If the endpoint rejects this request.
        """
        import httpx2
        from openai import APIConnectionError, APIStatusError

        client = _client(self.base_url, _key(self.base_url), self.timeout, self.retries)
        try:
            response = client.post("/chat/completions", body=dict(request), cast_to=httpx2.Response)
        except APIConnectionError as error:
            raise self._problem(f"the judge does not answer: {explain(error)}", None) from None
        except APIStatusError as error:
            what = f"the judge answers {error.status_code}: {explain(error)}"
            if error.status_code in REQUEST_ERRORS:
                raise ValueError(what) from None
            raise self._problem(what, error.status_code) from None
        try:
            reply = _read(json.loads(response.content))
        except (ValueError, LookupError, TypeError, AttributeError):
            what = f"the judge does not send a chat completion but {response.text[:100]!r}"
            raise self._problem(what, response.status_code) from None
        return reply

    def _problem(self, what: str, code: int | None) -> InvalidInput:
        hint = "start it, or correct `base_url`" if code is None else HINTS.get(code, "correct `base_url`")
        hint = f"{hint}; `ftrun resume last` keeps the judged pairs"
        return InvalidInput(Problem("endpoint-failed", what, self.base_url, hint=hint))


def _read(body: Any) -> Reply:
    """Return the reply in the body of an answer. A reply without a text is a refusal, or thoughts that were cut off."""
    choice, model = body["choices"][0], body.get("model")
    message = choice["message"]
    text, refusal = message["content"], message.get("refusal")
    return Reply(
        text if isinstance(text, str) else "",
        model if isinstance(model, str) and model else None,
        str(refusal) if refusal else f"finish_reason={choice.get('finish_reason')}",
    )


@cache
def _client(base_url: str, key: str | None, timeout: float, retries: int) -> OpenAI:
    return make_client(base_url, key, timeout, retries)


def _key(url: str) -> str | None:
    """Return the key, if there is one. OpenAI's key is sent to OpenAI only."""
    host = urlsplit(url).hostname or ""
    of_openai = host == "openai.com" or host.endswith(".openai.com")
    names = (KEY, KEY_OF_OPENAI) if of_openai else (KEY,)
    return next((as_token(name, os.environ[name]) for name in names if os.environ.get(name)), None)
