"""Answers that no hub gives: a page for signing in, JSON of another shape, an answer that is cut short."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ftrun.api.errors import FtrunError, Problem
from ftrun.utils.text import first_line

API = "/api/"
LIBRARY_ERRORS = "huggingface_hub.errors"
HINT = "check HF_ENDPOINT and proxies, or sign in to the network; `curl {endpoint}/api/models` shows the answer"
# Errors of the library of the hub for an answer of another shape. Those of the network and of access are other classes.
ODD_ERRORS = (ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError)


class NoJsonError(ValueError):
    """Answer of the hub's interface that is not JSON."""


def check_type(response: Any) -> None:
    """Check that an answer to a request for data is JSON. A hook for responses of httpx and of httpx2.

    Raises:
        NoJsonError: If it has another type, such as that of a page for signing in.
    """
    kind = response.headers.get("content-type", "").partition(";")[0].strip()
    if response.is_success and API in response.request.url.path and kind and "json" not in kind:
        raise NoJsonError(f"it sends {kind} instead of JSON")


@contextmanager
def report_odd_answers(
    repository: str, endpoint: str, at: str, make_error: Callable[[Problem], FtrunError]
) -> Iterator[None]:
    """Convert errors of the library of the hub about the shape of an answer.

    Args:
        repository: Name of the repository that the block requests.
        endpoint: URL of the hub.
        at: Key of the recipe with the name.
        make_error: Returns the error to raise, for the problem.
    """
    try:
        yield
    except FtrunError:
        raise
    except ODD_ERRORS as error:
        if type(error).__module__ == LIBRARY_ERRORS:  # about a name or a status, which the caller explains
            raise
        reason = first_line(error, 150) or type(error).__name__
        detail = (
            reason if isinstance(error, NoJsonError) else f"JSON of another shape ({type(error).__name__}: {reason})"
        )
        what = f"{endpoint} does not answer about {repository} like a hub: {detail}"
        raise make_error(Problem("odd-answer", what, at, hint=HINT.format(endpoint=endpoint))) from error
