"""Makes a declared environment real as a virtual environment under the user's cache, named by what is in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from platformdirs import user_cache_path

from ftrun.api.environment_digest import environment_digest
from ftrun.api.errors import Problem, StageError
from ftrun.api.recipe import Environment
from ftrun.store.locks import FileLock

LINES_KEPT = 12  # of the installer's output, shown when it fails
_LIST_PACKAGES = (
    "import importlib.metadata as m, json, sys;"
    "print(json.dumps([sys.version, sorted({(d.name or '').lower() + '==' + d.version for d in m.distributions()})]))"
)


class LocalEnvironment:
    """One environment on this machine."""

    def __init__(self, name: str, declared: Environment) -> None:
        self.name = name
        self.declared = declared

    @property
    def is_given(self) -> bool:
        """Whether the recipe names an interpreter that exists, in place of a version and a lock."""
        return os.sep in self.declared.python

    @cached_property
    def digest(self) -> str:
        """Of Python's version, the lock and the variables; of the installed packages where an interpreter is given."""
        return environment_digest(self.declared, self._installed() if self.is_given else None)

    def _installed(self) -> list[object]:
        result = subprocess.run(
            [self.declared.python, "-I", "-c", _LIST_PACKAGES], capture_output=True, text=True, check=True
        )
        found: list[object] = json.loads(result.stdout)
        return found

    @cached_property
    def folder(self) -> Path:
        """Environments that differ in variables alone share one: it takes minutes to make."""
        installed = environment_digest(self.declared.model_copy(update={"variables": {}}))
        return user_cache_path("ftrun") / "environments" / f"{self.name}-{installed[:16]}"

    @property
    def python(self) -> Path:
        return Path(self.declared.python) if self.is_given else self.folder / "bin" / "python"

    @property
    def ready(self) -> bool:
        return self.is_given or (self.folder / "complete").exists()

    def make(self, progress: Callable[[str], None]) -> None:
        """Installs the lock as it stands, without resolving. A second process waits for the first."""
        if self.ready:
            return
        with FileLock(self.folder.with_suffix(".lock")) as lock:
            while not lock.try_acquire():
                progress("another run makes it")
                lock.wait()
            if self.ready:
                return
            shutil.rmtree(self.folder, ignore_errors=True)
            self._run(
                [uv(), "venv", "--quiet", "--python", interpreter(self.declared.python), str(self.folder)], progress
            )
            install = [
                "pip",
                "install",
                "--python",
                str(self.python),
                "--no-deps",
                "--compile-bytecode",
                "--requirement",
                str(self.declared.lock),
            ]
            self._run([uv(), *install], progress)
            (self.folder / "complete").touch()

    def _run(self, command: list[str], progress: Callable[[str], None]) -> None:
        environment = {**os.environ, "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        ) as process:
            assert process.stdout is not None
            last: list[str] = []
            for line in process.stdout:
                last = [*last[1 - LINES_KEPT :], line.rstrip()]
                progress(line.rstrip())
        if process.returncode:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise StageError(
                f"environment {self.name}",
                Problem(
                    "install-failed",
                    f"the environment `{self.name}` cannot be installed: {' '.join(last)}"[:1500],
                    hint="check the network and the disk, then run again",
                ),
            )


def uv() -> str:
    """The uv that was installed with ftrun."""
    from uv import find_uv_bin

    return find_uv_bin()


def interpreter(version: str) -> str:
    """A Python of this version: on PATH, among pyenv's, else uv's own name for it, which it may download."""
    names = [shutil.which(f"python{version}"), shutil.which("python3")]
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    names += [str(path) for path in sorted(root.glob(f"versions/{version}.*/bin/python"), reverse=True)]
    for name in names:
        if name and _version_of(name) == version:
            return name
    return version


def _version_of(python: str) -> str | None:
    command = [python, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() if result.returncode == 0 else None
