"""Client of a process in the trainer's environment that tokenizes a few examples.

The process starts while the examples are being chosen.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ftrun.api.errors import InvalidInput, Problem, StageError
from ftrun.api.process_env import process_env
from ftrun.utils import env_launcher

if TYPE_CHECKING:  # importing these takes longer than starting a process
    from ftrun.api.backends import Backend
    from ftrun.api.recipe import Recipe

LINES_SHOWN = 8


@dataclass(frozen=True)
class TrainerEnvironment:
    """The trainer's environment: its interpreter and its declared variables."""

    python: Path
    variables: Mapping[str, str]

    @classmethod
    def of(cls, name: str, recipe: Recipe, backend: Backend) -> TrainerEnvironment:
        """Return an environment of a recipe."""
        return cls(backend.environment_python(name), recipe.environment[name].variables)

    def command(self, module: str, *arguments: str) -> Sequence[str]:
        """Return the command line that runs a module of ftrun in the environment."""
        return [str(self.python), "-I", env_launcher.__file__, module, *arguments]

    def process_env(self, secrets: Sequence[str] = ()) -> dict[str, str]:
        """Return the environment variables of a stage."""
        return process_env(self.variables, secrets, ["ftrun", "ftrun_plugins"])


class TokenizerClient:
    """A process of the trainer's environment that answers one request."""

    def __init__(self, trainer: TrainerEnvironment, module: str, folder: Path) -> None:
        self.trainer = trainer
        self._folder = Path(tempfile.mkdtemp(dir=folder))
        self._log = self._folder / "log.txt"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                trainer.command(module),
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

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the answer.

        Raises:
            StageError: If the process ended without an answer.
            InvalidInput: If the stage `tokenize` would reject the rows or the configuration.
        """
        answer = self._folder / "answer.json"
        line = json.dumps({**request, "work": str(self._folder), "answer": str(answer)}) + "\n"
        self._process.communicate(line.encode())
        if not answer.exists():
            raise self._failure()
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        if "problems" in found:
            raise InvalidInput([Problem.from_dict(problem) for problem in found["problems"]])
        return found

    def _failure(self) -> StageError:
        """Return an error with the last lines of the process's output."""
        last = self._log.read_text(errors="replace").splitlines()[-LINES_SHOWN:]
        return StageError(
            "preview", Problem("stage-error", "the trainer cannot tokenize these rows", hint="\n".join(last))
        )
