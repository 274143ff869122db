"""Protocol of sources: they yield rows with their places."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from ftrun.api.rows import Options, Row


@dataclass(frozen=True)
class HubFiles:
    """Files of a dataset on the Hugging Face hub, as they are at a commit.

    Args:
        repository: Its name, such as `user/dataset`.
        commit: The commit, in full.
        patterns: Of the files that are downloaded; `*` stands for any characters, also for `/`.
        gated: Whether the hub asks for a token.
        named: The revision that was resolved to the commit, for a person.
    """

    repository: str
    commit: str
    patterns: tuple[str, ...]
    gated: bool = False
    named: str | None = None

    @property
    def digest(self) -> str:
        """Tells it from every other one, in 12 digits."""
        return hashlib.sha256("\n".join((self.repository, self.commit, *self.patterns)).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class InputFile:
    """Something from outside that a source reads; its content, not its place, enters the key.

    Args:
        name: How rows and messages call it.
        path: Where the client found it; None for a download.
        url: Where to download it from; then `sha256` is required.
        sha256: The content's digest where it is known beforehand.
        hub: Files of a dataset on the Hugging Face hub; what `rows` gets is the folder that they are downloaded to.
    """

    name: str
    path: Path | None = None
    url: str | None = None
    sha256: str | None = None
    hub: HubFiles | None = None

    @property
    def fetch_label(self) -> str:
        """Label of the call of `fetch` that downloads it."""
        if self.hub is not None:
            return f"fetch:{self.hub.repository.rpartition('/')[2]}-{self.hub.digest}"
        assert self.sha256 is not None
        return f"fetch:{self.sha256[:12]}"


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that its source cannot read, with the reason; `raw` is the beginning of its content."""

    file: str
    line: int
    reason: str
    raw: str = ""
    code: str = "bad-row"


class Source(Protocol):
    """Yields raw rows with their places. `externals` runs on the client, `rows` in the stage `format`.

    `rows` finds the client's packages, or those of the `environment` that the class names: `trainer` has pyarrow.
    """

    name: ClassVar[str]

    @property
    def Options(self) -> type[Options]: ...  # noqa: N802  (a class, by the name that plugins give it)

    def externals(self, options: Any) -> Sequence[InputFile]:
        """Everything that `rows` will read. Raises `InvalidInput` where it is missing."""
        ...

    def rows(self, options: Any, files: Mapping[str, Path]) -> Iterator[Row | BadRow]:
        """The rows in order; `files` are the externals by name. Constant memory."""
        ...
