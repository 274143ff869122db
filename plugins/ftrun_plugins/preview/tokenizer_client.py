"""Asks the trainer's environment what it makes of a few examples, in a process that begins while they are chosen."""

from __future__ import annotations

import json
import logging
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from platformdirs import user_cache_path

from ftrun.api.errors import InvalidInput, Problem, StageError
from ftrun.execution import env_launcher
from ftrun.execution.process_env import process_env
from ftrun.utils.atomic_io import write_json

if TYPE_CHECKING:  # importing these takes longer than starting a process
    from ftrun.api.backends import Backend
    from ftrun.api.recipe import Recipe

log = logging.getLogger(__name__)

MODULE = "ftrun_plugins.axolotl.tokenize.preview_worker"
TRAINER = "trainer"
LIGHT, WHOLE = "light", "whole"
LINES_SHOWN = 8


@dataclass(frozen=True)
class TrainerEnvironment:
    """The trainer's environment: its interpreter, and the variables that it is declared with."""

    python: Path
    variables: Mapping[str, str]

    @classmethod
    def of(cls, recipe: Recipe, backend: Backend) -> TrainerEnvironment:
        return cls(backend.environment_python(TRAINER), recipe.environment[TRAINER].variables)

    @classmethod
    def last(cls) -> TrainerEnvironment | None:
        """The one that was asked last, where it is still there."""
        with suppress(OSError, ValueError, LookupError, TypeError):  # never kept, or not by this version
            known = json.loads(_memory().read_bytes())
            python = Path(known["python"])
            return cls(python, dict(known["variables"])) if python.is_file() else None
        return None

    def remember(self) -> None:
        with suppress(OSError):  # it only saves time
            write_json(_memory(), {"python": str(self.python), "variables": dict(self.variables)})

    def command(self, module: str, *arguments: str) -> Sequence[str]:
        """Starts a module of ftrun there."""
        return [str(self.python), "-I", env_launcher.__file__, module, *arguments]

    def process_env(self, secrets: Sequence[str] = ()) -> dict[str, str]:
        """Environment variables as a stage has them."""
        return process_env(self.variables, secrets, ["ftrun", MODULE])


def _memory() -> Path:
    return user_cache_path("ftrun") / "preview.json"


class TokenizerClient:
    """A process of the trainer's environment that tokenizes what it is asked to, once."""

    def __init__(self, trainer: TrainerEnvironment, folder: Path, how: str) -> None:
        self.trainer = trainer
        self._folder = Path(tempfile.mkdtemp(prefix=how, dir=folder))
        self._log = self._folder / "log.txt"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                trainer.command(MODULE, how),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                env={**trainer.process_env(), "HF_HUB_OFFLINE": "1"},
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """The answer; None where the process ended without one.

        Raises:
            InvalidInput: what the stage `tokenize` would refuse.
        """
        answer = self._folder / "answer.json"
        line = json.dumps({**request, "work": str(self._folder), "answer": str(answer)}) + "\n"
        self._process.communicate(line.encode())
        if not answer.exists():
            return None
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        if "problems" in found:
            raise InvalidInput([Problem.from_dict(problem) for problem in found["problems"]])
        return found

    def failure(self) -> StageError:
        """Why there is no answer, by the last lines that it printed."""
        last = self._log.read_text(errors="replace").splitlines()[-LINES_SHOWN:]
        return StageError(
            "preview", Problem("stage-error", "the trainer cannot tokenize these rows", hint="\n".join(last))
        )


def tokenized(looker: TokenizerClient, folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """The answer of the light process, or, where that cannot do without torch, of one with all packages.

    Raises:
        StageError: there is none; `InvalidInput`: the rows or the configuration are wrong.
    """
    if not request["params"]["trust_remote_code"] and (answer := looker.ask(request)) is not None:
        return answer
    log.info("this tokenizer needs all of the trainer's packages, whose import takes a while")
    with TokenizerClient(looker.trainer, folder, WHOLE) as whole:
        answer = whole.ask(request)
        if answer is None:
            raise whole.failure()
        return answer
