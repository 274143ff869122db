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
class Endpoint:
    """Address of the model, and timeout and retries of requests."""

    base_url: str
    timeout: float  # seconds
    retries: int

    def answer(self, request: Mapping[str, Any]) -> str:
        """Return the text of a chat completion.

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
            content = json.loads(response.content)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError):
            what = f"the judge does not send a chat completion but {response.text[:100]!r}"
            raise self._problem(what, response.status_code) from None
        return content if isinstance(content, str) else ""  # no text: a refusal, or reasoning that was cut off

    def _problem(self, what: str, code: int | None) -> InvalidInput:
        hint = "start it, or correct `base_url`" if code is None else HINTS.get(code, "correct `base_url`")
        hint = f"{hint}; `ftrun resume last` keeps the judged pairs"
        return InvalidInput(Problem("endpoint-failed", what, self.base_url, hint=hint))


@cache
def _client(base_url: str, key: str | None, timeout: float, retries: int) -> OpenAI:
    return make_client(base_url, key, timeout, retries)


def _key(url: str) -> str | None:
    """Return the key, if there is one. OpenAI's key is sent to OpenAI only."""
    host = urlsplit(url).hostname or ""
    of_openai = host == "openai.com" or host.endswith(".openai.com")
    names = (KEY, KEY_OF_OPENAI) if of_openai else (KEY,)
    return next((as_token(name, os.environ[name]) for name in names if os.environ.get(name)), None)
