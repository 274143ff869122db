"""The protocol of machines elsewhere that runs are submitted to."""

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
    """Runs on machines elsewhere. Their folders in this machine's store are copies.

    `progress` callbacks get lines for a person, or bytes done and in total.
    """

    @property
    def place(self) -> str:
        """The place of artifacts there, for a person."""
        ...

    # --- runs

    def submit(self, folder: RunFolder, progress: Callable[[str], None]) -> None:
        """Submit a run. After the return, the run no longer needs this process."""
        ...

    def refresh(self, folder: RunFolder) -> None:
        """Copy a run's record, events and logs, or update the copies, also if another machine submitted the run."""
        ...

    def follow(self, folder: RunFolder) -> Iterator[Event]:
        """Yield events as they come, from the start of the run to its end."""
        ...

    def cancel(self, folder: RunFolder, now: bool) -> None:
        """Stop a run, with a checkpoint unless `now`. Return when none of its processes is alive."""
        ...

    def known(self) -> Sequence[str]:
        """Return the ids of all runs there, also of those that another machine submitted."""
        ...

    def remove(self, folder: RunFolder) -> None:
        """Remove the record, events and logs of a finished run. Its artifacts stay there."""
        ...

    # --- artifacts

    def files(self, ref: Ref) -> Sequence[StoredFile]:
        """Return the files of an artifact. Raises `InvalidInput` if it is not there."""
        ...

    def read(self, ref: Ref, name: str) -> bytes | None:
        """Return a small file of an artifact; None if it is not there."""
        ...

    def pull(self, ref: Ref, target: Path, progress: Callable[[float, float], None]) -> None:
        """Copy an artifact into a folder of this machine."""
        ...

    def push(self, ref: Ref, folder: Path, progress: Callable[[str], None]) -> None:
        """Copy an artifact of this machine there, unless it is there already."""
        ...

    # --- servers

    def serve(self, serving: Serving, recipe: Recipe, progress: Callable[[str], None]) -> Endpoint:
        """Start a server that continues without this process, or return the one that the run already has."""
        ...

    def servers(self) -> Sequence[Endpoint]:
        """Return the servers there, of all runs."""
        ...

    def stop_server(self, run: str) -> None:
        """Stop the server of a run. Raises `InvalidInput` if it has none."""
        ...
