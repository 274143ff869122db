"""Protocol of sources, which yield rows with their places."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from ftrun.api.rows import Options, Row

__all__ = ["BadRow", "HubFiles", "InputFile", "Source"]


@dataclass(frozen=True)
class HubFiles:
    """Files of a dataset on the Hugging Face hub at one commit.

    Args:
        repository: The name of the repository, such as `user/dataset`.
        commit: The full hash of the commit.
        patterns: Patterns of the files to download. `*` matches any characters, including `/`.
        gated: True if the hub requires a token.
        named: The branch or tag that was resolved to the commit, for messages.
    """

    repository: str
    commit: str
    patterns: tuple[str, ...]
    gated: bool = False
    named: str | None = None

    @property
    def digest(self) -> str:
        """Digest of repository, commit and patterns: 12 hexadecimal digits."""
        return hashlib.sha256("\n".join((self.repository, self.commit, *self.patterns)).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class InputFile:
    """Input file of a source. Its content is part of the key, its location is not.

    Args:
        name: The name of the file in rows and messages.
        path: The path of the file on the client. None for a download.
        url: The URL of a download. Requires `sha256`.
        sha256: The digest of the content, if it is known before the download.
        hub: Files of a dataset on the Hugging Face hub. `Source.rows` gets the folder to which they are downloaded.
    """

    name: str
    path: Path | None = None
    url: str | None = None
    sha256: str | None = None
    hub: HubFiles | None = None

    @property
    def fetch_label(self) -> str:
        """Label of the `fetch` call that downloads the file."""
        if self.hub is not None:
            return f"fetch:{self.hub.repository.rpartition('/')[2]}-{self.hub.digest}"
        assert self.sha256 is not None
        return f"fetch:{self.sha256[:12]}"


@dataclass(frozen=True, slots=True)
class BadRow:
    """Row that its source cannot read, with the reason.

    Args:
        file: The name of the file.
        line: The number of the row, from 1.
        reason: The reason, in one sentence without a full stop.
        raw: The beginning of the content.
        code: Stable identifier of the error, for programs.
        hint: Next step for the user. It names options of the source as `dataset.source.OPTION`.
    """

    file: str
    line: int
    reason: str
    raw: str = ""
    code: str = "bad-row"
    hint: str | None = None


class Source(Protocol):
    """Component that yields raw rows with their places. `externals` runs on the client, `rows` in the stage `format`.

    `rows` can import the packages of the client, or those of the `environment` that the class names. The environment
    `trainer` contains pyarrow. A class can name a `group_column`: rows with the same value in it stay on one side of a
    split unless the recipe sets `split.by` or `split.group`.
    """

    name: ClassVar[str]

    @property
    def Options(self) -> type[Options]: ...  # noqa: N802  (a class, by the name that plugins give it)

    def externals(self, options: Any) -> Sequence[InputFile]:
        """Return all files that `rows` will read.

        Raises:
            InvalidInput: If one of them does not exist.
        """
        ...

    def rows(self, options: Any, files: Mapping[str, Path]) -> Iterator[Row | BadRow]:
        """Yield the rows in order, in constant memory. `files` contains the paths of the input files by name."""
        ...
