"""Client of an OpenAI-compatible endpoint, which retries temporary errors and reports others."""

from __future__ import annotations

import email.utils
import http.client
import json
import os
import random
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from ftrun.api.errors import InvalidInput, Problem

KEY, KEY_OF_OPENAI = "JUDGE_API_KEY", "OPENAI_API_KEY"  # the secret `judge`
REQUEST_ERRORS = (400, 413, 422)  # the row is wrong, e.g. too long for the model
TEMPORARY = (408, 409, 425, 429)  # and all from 500
HINTS = {
    401: f"set {KEY}",
    403: f"set {KEY}",
    404: "correct `model`, or `base_url`, which usually ends in /v1",
    429: "lower `at_once`, or wait",
}
MAX_BACKOFF = 60.0  # seconds between two attempts, unless the server asks for more
MAX_RETRY_AFTER = 600.0  # seconds that a server may ask to wait


class Failure(Exception):
    """A failed attempt. `code` is the HTTP status, or None if the server sent none."""

    def __init__(self, reason: str, code: int | None = None, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.code = code
        self.wait = wait  # seconds that the server asks to wait

    @property
    def is_temporary(self) -> bool:
        """True if another attempt may succeed."""
        return self.code is None or self.code in TEMPORARY or self.code >= 500


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
        for attempt in count():
            try:
                return self._post(request)
            except Failure as failure:
                if not failure.is_temporary or attempt == self.retries or failure.wait > MAX_RETRY_AFTER:
                    raise self._make_error(failure) from None
                backoff = min(MAX_BACKOFF, 2.0**attempt) * random.uniform(0.5, 1.0)  # noqa: S311  (spreads the attempts)
                time.sleep(max(failure.wait, backoff))
        raise AssertionError

    def _post(self, request: Mapping[str, Any]) -> str:
        url = f"{self.base_url.rstrip('/')}/chat/completions"
        headers = {"Content-Type": "application/json", "User-Agent": "ftrun", **_authorization(url)}
        http_request = urllib.request.Request(url, json.dumps(request).encode(), headers)  # noqa: S310  (http or https)
        try:
            with _OPENER.open(http_request, timeout=self.timeout) as answer:
                return _parse_completion(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                wait = _parse_retry_after(error.headers.get("Retry-After"))
                raise Failure(_error_text(error), error.code, wait) from None
        except (OSError, http.client.HTTPException) as error:
            raise Failure(str(getattr(error, "reason", None) or error)) from None

    def _make_error(self, failure: Failure) -> Exception:
        """Return a ValueError if the row is wrong, else an InvalidInput for the endpoint."""
        if failure.code is None:
            what, hint = f"the judge does not answer: {failure}", "start it, or correct `base_url`"
        else:
            what = f"the judge answers {failure.code}: {failure}"
            hint = HINTS.get(failure.code, "correct `base_url`")
        if failure.code in REQUEST_ERRORS:
            return ValueError(what)
        return InvalidInput(
            Problem("endpoint-failed", what, self.base_url, hint=f"{hint}; `ftrun resume last` keeps the judged pairs")
        )


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Redirect handler that follows no redirect, so that the key is sent only to the address in the recipe."""

    def redirect_request(self, *_: Any) -> None:
        """Return no request."""


_OPENER = urllib.request.build_opener(_NoRedirect)


def _authorization(url: str) -> dict[str, str]:
    """Return the header with the key, if there is one. OpenAI's key is sent to OpenAI only."""
    host = urlsplit(url).hostname or ""
    of_openai = host == "openai.com" or host.endswith(".openai.com")
    names = (KEY, KEY_OF_OPENAI) if of_openai else (KEY,)
    name = next((name for name in names if os.environ.get(name)), None)
    if name is None:
        return {}
    key = os.environ[name].strip()
    if not (key.isascii() and key.isprintable()):  # the error of the HTTP library would show the key
        raise InvalidInput(
            Problem("invalid-secret", f"`{name}` contains characters that no key has", hint=f"set {name} again")
        )
    return {"Authorization": f"Bearer {key}"}


def _parse_completion(body: bytes) -> str:
    try:
        content = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError):
        beginning = body[:100].decode(errors="replace")
        raise Failure(f"it does not send a chat completion but {beginning!r}") from None
    return content if isinstance(content, str) else ""  # no text: a refusal, or reasoning that was cut off


def _parse_retry_after(header: str | None) -> float:
    """Return the seconds of a `Retry-After`, which is a number or a date; 0 if it is neither."""
    if not header:
        return 0.0
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return 0.0


def _error_text(error: urllib.error.HTTPError) -> str:
    """Return the server's error message, shortened."""
    body = error.read(10_000).decode(errors="replace")
    try:
        return str(json.loads(body)["error"]["message"])[:300]
    except (ValueError, LookupError, TypeError):
        return " ".join(body.split())[:300] or error.reason
