"""Protocol of remotes: services with machines to which runs are submitted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ftrun.api.events import Event
    from ftrun.api.manifest import StoredFile
    from ftrun.api.paths import RunFolder
    from ftrun.api.recipe import Recipe
    from ftrun.api.serving_spec import Endpoint, Serving
    from ftrun.api.stage_call import Ref

__all__ = ["Remote"]


class Remote(Protocol):
    """Service that executes runs on other machines. Run folders in the store of this machine are copies.

    `progress` callbacks get lines for the user, or the number of copied bytes and of all bytes.
    """

    @property
    def place(self) -> str:
        """Location of the artifacts, for messages."""
        ...

    # --- runs

    def submit(self, folder: RunFolder, progress: Callable[[str], None]) -> None:
        """Submit a run. Once this method returns, the run no longer needs this process."""
        ...

    def refresh(self, folder: RunFolder) -> None:
        """Copy or update the record, events and logs of a run, even if another machine submitted it."""
        ...

    def follow(self, folder: RunFolder) -> Iterator[Event]:
        """Yield the events of a run as they arrive, from its start to its end."""
        ...

    def cancel(self, folder: RunFolder, now: bool) -> None:
        """Stop a run, with a checkpoint unless `now` is true. Return when none of its processes is alive."""
        ...

    def known(self) -> Sequence[str]:
        """Return the ids of all runs, including those that another machine submitted."""
        ...

    def remove(self, folder: RunFolder) -> None:
        """Remove the record, events and logs of a finished run, but not its artifacts."""
        ...

    # --- artifacts

    def files(self, ref: Ref) -> Sequence[StoredFile]:
        """Return the files of an artifact.

        Raises:
            InvalidInput: If the artifact does not exist.
        """
        ...

    def read(self, ref: Ref, name: str) -> bytes | None:
        """Return the content of a small file of an artifact. None if it does not exist."""
        ...

    def pull(self, ref: Ref, target: Path, progress: Callable[[float, float], None]) -> None:
        """Copy an artifact to a folder on this machine."""
        ...

    def push(self, ref: Ref, folder: Path, progress: Callable[[str], None]) -> None:
        """Copy an artifact from a folder on this machine, unless the remote already has it."""
        ...

    # --- servers

    def serve(self, serving: Serving, recipe: Recipe, progress: Callable[[str], None]) -> Endpoint:
        """Start a server that continues without this process, or return the existing server of the run."""
        ...

    def servers(self) -> Sequence[Endpoint]:
        """Return the servers of all runs."""
        ...

    def stop_server(self, run: str) -> None:
        """Stop the server of a run.

        Raises:
            InvalidInput: If the run has no server.
        """
        ...
