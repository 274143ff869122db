"""Asks a model behind an OpenAI-compatible endpoint, patiently: what passes is tried again, what does not is told."""

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
OF_THE_REQUEST = (400, 413, 422)  # e.g. too long for the model: the row's fault
PASSES = (408, 409, 425, 429)  # and all of 500 and above
REMEDIES = {
    401: f"set {KEY}",
    403: f"set {KEY}",
    404: "mend `base_url`, which mostly ends in /v1, or `model`",
    429: "lower `at_once`, or wait",
}
LONGEST_WAIT = 60.0  # seconds between two tries, unless the server asks for more
LONGEST_ASKED = 600.0  # seconds that a server may ask to wait


class Failure(Exception):
    """One try that brought no answer; `code` is the server's, if it came that far."""

    def __init__(self, reason: str, code: int | None = None, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.code = code
        self.wait = wait  # seconds that the server asks for

    @property
    def passes(self) -> bool:
        return self.code is None or self.code in PASSES or self.code >= 500


@dataclass(frozen=True)
class Endpoint:
    """Where the model is, and how patiently it is asked."""

    base_url: str
    timeout: float  # seconds
    retries: int

    def answer(self, request: Mapping[str, Any]) -> str:
        """The text of a chat completion.

        Raises:
            InvalidInput: the endpoint cannot be reached, or does not take such requests.
            ValueError: it does not take this one.
        """
        for tries in count():
            try:
                return self._post(request)
            except Failure as failure:
                if not failure.passes or tries == self.retries or failure.wait > LONGEST_ASKED:
                    raise self._told(failure) from None
                backoff = min(LONGEST_WAIT, 2.0**tries) * random.uniform(0.5, 1.0)  # noqa: S311  (not all at one time)
                time.sleep(max(failure.wait, backoff))
        raise AssertionError

    def _post(self, request: Mapping[str, Any]) -> str:
        url = f"{self.base_url.rstrip('/')}/chat/completions"
        headers = {"Content-Type": "application/json", "User-Agent": "ftrun", **_authorization(url)}
        asked = urllib.request.Request(url, json.dumps(request).encode(), headers)  # noqa: S310  (http or https)
        try:
            with _OPENER.open(asked, timeout=self.timeout) as answer:
                return _text(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise Failure(_words(error), error.code, _seconds(error.headers.get("Retry-After"))) from None
        except (OSError, http.client.HTTPException) as error:
            raise Failure(str(getattr(error, "reason", None) or error)) from None

    def _told(self, failure: Failure) -> Exception:
        """The failure for a person: of the row where it is the row's fault, else of the endpoint."""
        if failure.code is None:
            what, do = f"the judge does not answer: {failure}", "start it, or mend `base_url`"
        else:
            what, do = f"the judge answers {failure.code}: {failure}", REMEDIES.get(failure.code, "mend `base_url`")
        if failure.code in OF_THE_REQUEST:
            return ValueError(what)
        return InvalidInput(
            Problem("endpoint-failed", what, self.base_url, hint=f"{do}; `ftrun resume last` asks no pair again")
        )


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The key goes to the address in the recipe and to no other."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def _authorization(url: str) -> dict[str, str]:
    """The key, if there is one; that of OpenAI is shown to OpenAI alone."""
    host = urlsplit(url).hostname or ""
    of_openai = host == "openai.com" or host.endswith(".openai.com")
    names = (KEY, KEY_OF_OPENAI) if of_openai else (KEY,)
    name = next((name for name in names if os.environ.get(name)), None)
    if name is None:
        return {}
    key = os.environ[name].strip()
    if not (key.isascii() and key.isprintable()):  # the error of the library would show it
        raise InvalidInput(
            Problem("invalid-secret", f"{name} holds characters that are in no key", hint=f"set {name} again")
        )
    return {"Authorization": f"Bearer {key}"}


def _text(body: bytes) -> str:
    try:
        content = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError):
        beginning = body[:100].decode(errors="replace")
        raise Failure(f"it sends no chat completion but {beginning!r}") from None
    return content if isinstance(content, str) else ""  # a refusal, or a thought that did not come to its end


def _seconds(header: str | None) -> float:
    """Seconds of a `Retry-After`, which is a number or a date."""
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


def _words(error: urllib.error.HTTPError) -> str:
    """The server's own words, shortened."""
    body = error.read(10_000).decode(errors="replace")
    try:
        return str(json.loads(body)["error"]["message"])[:300]
    except (ValueError, LookupError, TypeError):
        return " ".join(body.split())[:300] or error.reason
