"""Copy of a local model folder into the store."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ftrun.api.errors import InvalidInput, Problem
from ftrun.utils.digests import FileDigests
from ftrun.utils.file_modes import share

if TYPE_CHECKING:
    from ftrun.api.context import StageContext


def copy(folder: Path, digest: str, context: StageContext) -> None:
    """Copy all files of a folder. Hard links are not used, because a later edit of a file would change the artifact.

    Raises:
        InvalidInput: If the folder has changed since the plan was made.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    total = sum(path.stat().st_size for path in files)
    done = 0
    for path in files:
        target = context.output / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        share(target)
        done += path.stat().st_size
        context.check_stop()
        context.report.progress(done, total, "bytes")
    if FileDigests(context.work / "digests.json").folder(context.output) != digest:
        what = f"{folder} changed since this run was planned"
        raise InvalidInput(Problem("content-changed", what, hint="start a new run; it reuses unchanged stages"))
