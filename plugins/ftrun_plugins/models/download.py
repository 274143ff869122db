"""Download of one file over HTTP, with resumption and a check of its digest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ftrun.api.errors import InvalidInput, Problem, StageError
from ftrun.utils.digests import sha256_of
from ftrun.utils.http import client, error_text
from ftrun_plugins.models.workspace import CONTENT

if TYPE_CHECKING:
    from ftrun.api.context import StageContext

TIMEOUT = 60  # seconds without a byte
SCHEMES = ("http", "https")


def download(url: str, sha256: str, context: StageContext) -> None:
    """Download a file as `content` of the artifact.

    Raises:
        InvalidInput: If the content does not have the recipe's sha256.
        StageError: If the server cannot be reached or rejects the request.
    """
    import httpx2

    if url.partition(":")[0] not in SCHEMES:
        raise InvalidInput(
            Problem(
                "invalid-value",
                f"cannot download {url}",
                expected=f"a URL that begins with one of {', '.join(SCHEMES)}",
            )
        )
    partial = context.work / CONTENT
    had_part = partial.exists()
    try:
        actual = _fetch_digest(url, partial, context)
        if actual != sha256 and had_part:
            context.report.warning("the file does not have its sha256; downloading it again from the start")
            partial.unlink()
            actual = _fetch_digest(url, partial, context)
    except httpx2.HTTPError as error:
        what = f"cannot download {url}: {error_text(error)}"
        hint = "check the URL and the network; `ftrun resume last` continues the download"
        raise StageError("fetch", Problem("download-failed", what, hint=hint)) from error
    if actual != sha256:
        partial.unlink()
        raise InvalidInput(
            Problem(
                "content-changed",
                f"the content of {url} has the sha256 {actual}",
                expected=sha256,
                hint="check the file; if the change is intended, set the new sha256 in the recipe",
            )
        )
    partial.rename(context.output / "content")


def _fetch_digest(url: str, partial: Path, context: StageContext) -> str:
    _fetch_with_retries(url, partial, context)
    return sha256_of(partial)


def _fetch_with_retries(url: str, partial: Path, context: StageContext) -> None:
    """Fetch the file; continue after a broken connection as long as each attempt adds bytes."""
    import httpx2

    while True:
        start = _size(partial)
        try:
            _fetch(url, partial, context)
            return
        except httpx2.TransportError as error:
            if _size(partial) <= start:
                raise
            reason = error_text(error)
            context.report.warning(f"the connection broke ({reason}); continuing after {_size(partial):,} bytes")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _fetch(url: str, partial: Path, context: StageContext) -> None:
    start = _size(partial)
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
    with client(TIMEOUT) as http, http.stream("GET", url, headers=headers) as response:
        if response.status_code == 416:  # no bytes are left; the digest check follows
            return
        response.raise_for_status()
        resumed = start > 0 and response.status_code == 206
        length = response.headers.get("Content-Length")
        total = int(length) + (start if resumed else 0) if length else None
        done = start if resumed else 0
        with partial.open("ab" if resumed else "wb") as file:
            for block in response.iter_raw():
                file.write(block)
                done += len(block)
                context.check_stop()
                context.report.progress(done, total, "bytes")
