"""Downloads one file over HTTP, resuming a broken download, and checks its digest."""

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
    """Writes `content` into the artifact.

    Raises:
        InvalidInput: the content is not what the recipe's sha256 says.
        StageError: the server cannot be reached or refuses.
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
        _fetch_patiently(url, partial, context)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        do = "check the address and the network; `ftrun resume last` goes on from what is there"
        raise StageError("fetch", Problem("download-failed", f"cannot download {url}: {reason}", hint=do)) from error
    found = sha256_of(partial)
    if found != sha256:
        partial.unlink()
        raise InvalidInput(
            Problem(
                "content-changed",
                f"{url} has another content than the recipe says: sha256 {found}",
                expected=sha256,
                hint="check the file; if it was meant to change, put the new sha256 into the recipe",
            )
        )
    partial.rename(context.output / "content")


def _fetch_patiently(url: str, partial: Path, context: StageContext) -> None:
    """Goes on after a broken connection as long as that brings more of the file."""
    while True:
        there = _size(partial)
        try:
            _fetch(url, partial, context)
            return
        except urllib.error.HTTPError:
            raise
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            if _size(partial) <= there:
                raise
            context.report.warning(f"the connection broke ({error}); going on after {_size(partial):,} bytes")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _fetch(url: str, partial: Path, context: StageContext) -> None:
    there = _size(partial)
    headers = {"User-Agent": "ftrun", **({"Range": f"bytes={there}-"} if there else {})}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  (the scheme is checked by the caller)
    try:
        response: Any = urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing is left to fetch: the digest will tell whether it is all
            return
        raise
    with response:
        resumed = there > 0 and response.status == 206
        length = response.headers.get("Content-Length")
        total = int(length) + (there if resumed else 0) if length else None
        done = there if resumed else 0
        with partial.open("ab" if resumed else "wb") as file:
            while block := response.read(BLOCK):
                file.write(block)
                done += len(block)
                context.check_stop()
                context.report.progress(done, total, "bytes")
    if total is not None and done < total:
        raise ConnectionError(f"{done:,} of {total:,} bytes came")
