"""Download of one file over HTTP, with resumption and a check of its digest."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.api.errors import InvalidInput, Problem, StageError
from ftrun.utils.digests import sha256_of

if TYPE_CHECKING:
    from ftrun.api.context import StageContext

BLOCK = 1 << 20  # bytes
TIMEOUT = 60  # seconds without a byte
SCHEMES = ("http", "https")


def download(url: str, sha256: str, context: StageContext) -> None:
    """Download a file as `content` of the artifact.

    Raises:
        InvalidInput: If the content does not have the recipe's sha256.
        StageError: If the server cannot be reached or rejects the request.
    """
    if url.partition(":")[0] not in SCHEMES:
        raise InvalidInput(
            Problem(
                "invalid-value",
                f"cannot download {url}",
                expected=f"a URL that begins with one of {', '.join(SCHEMES)}",
            )
        )
    partial = context.work / "content"
    try:
        _fetch_with_retries(url, partial, context)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        hint = "check the URL and the network; `ftrun resume last` continues the download"
        raise StageError("fetch", Problem("download-failed", f"cannot download {url}: {reason}", hint=hint)) from error
    actual = sha256_of(partial)
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


def _fetch_with_retries(url: str, partial: Path, context: StageContext) -> None:
    """Fetch the file; continue after a broken connection as long as each attempt adds bytes."""
    while True:
        start = _size(partial)
        try:
            _fetch(url, partial, context)
            return
        except urllib.error.HTTPError:
            raise
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            if _size(partial) <= start:
                raise
            context.report.warning(f"the connection broke ({error}); continuing after {_size(partial):,} bytes")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _fetch(url: str, partial: Path, context: StageContext) -> None:
    start = _size(partial)
    headers = {"User-Agent": "ftrun", **({"Range": f"bytes={start}-"} if start else {})}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  (the scheme is checked by the caller)
    try:
        response: Any = urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code == 416:  # no bytes are left; the digest check follows
            return
        raise
    with response:
        resumed = start > 0 and response.status == 206
        length = response.headers.get("Content-Length")
        total = int(length) + (start if resumed else 0) if length else None
        done = start if resumed else 0
        with partial.open("ab" if resumed else "wb") as file:
            while block := response.read(BLOCK):
                file.write(block)
                done += len(block)
                context.check_stop()
                context.report.progress(done, total, "bytes")
    if total is not None and done < total:
        raise ConnectionError(f"received {done:,} of {total:,} bytes")
