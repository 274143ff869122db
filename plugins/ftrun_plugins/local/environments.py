"""Virtual environments of declared environments, in the user's cache, in folders named by their content."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from platformdirs import user_cache_path

from ftrun.api.disk_errors import disk_problem
from ftrun.api.environment_digest import environment_digest
from ftrun.api.errors import InvalidInput, Problem, StageError
from ftrun.api.locks import install_options
from ftrun.api.recipe import Environment
from ftrun.store.locks import FileLock

MOST_SECONDS = 120  # to list packages, on a slow network file system
MAX_LINES = 12  # of the installer's output, shown if it fails
_LIST_PACKAGES = (
    "import importlib.metadata as m, json, sys;"
    "names = {f\"{d.metadata['Name']}=={d.metadata['Version']}\".lower() for d in m.distributions() if d.metadata};"
    "print(json.dumps([sys.version, sorted(names)]))"
)


class LocalEnvironment:
    """Environment on this machine."""

    def __init__(self, name: str, declared: Environment) -> None:
        self.name = name
        self.declared = declared

    @property
    def is_external(self) -> bool:
        """True if the recipe names an existing interpreter instead of a version and a lock."""
        return os.sep in self.declared.python

    @cached_property
    def digest(self) -> str:
        """Digest of Python version, lock and variables, and of the packages in an interpreter that the recipe names."""
        return environment_digest(self.declared, self._list_packages() if self.is_external else None)

    def _list_packages(self) -> list[object]:
        """Return the version and the packages of the interpreter that the recipe names.

        Raises:
            InvalidInput: If it is no Python interpreter that runs.
        """
        command = [self.declared.python, "-I", "-c", _LIST_PACKAGES]
        try:
            result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=MOST_SECONDS)
            packages: list[object] = json.loads(result.stdout)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            detail = getattr(error, "stderr", None) or getattr(error, "strerror", None) or "it answers as no Python"
            last = str(detail).strip().splitlines()[-1:] or [""]
            raise InvalidInput(
                Problem(
                    "unusable-path",
                    f"{self.declared.python} is not a Python interpreter that runs: {last[0][:200]}",
                    f"environment.{self.name}.python",
                    expected="the path of a Python interpreter, or a version such as 3.12",
                )
            ) from error
        return packages

    @cached_property
    def folder(self) -> Path:
        """Folder of the environment, shared by all that differ only in variables, because it takes minutes to make."""
        installed = environment_digest(self.declared.model_copy(update={"variables": {}}))
        return user_cache_path("ftrun") / "environments" / f"{self.name}-{installed[:16]}"

    @property
    def python(self) -> Path:
        return Path(self.declared.python) if self.is_external else self.folder / "bin" / "python"

    @property
    def ready(self) -> bool:
        return self.is_external or (self.folder / "complete").exists()

    def make(self, progress: Callable[[str], None]) -> None:
        """Install the locked packages without resolving. If another process does so, wait for it.

        Raises:
            StageError: If the installation fails.
        """
        if self.ready:
            return
        with FileLock(self.folder.with_suffix(".lock")) as lock:
            while not lock.try_acquire():
                progress("another run is making it")
                lock.wait()
            if self.ready:
                return
            shutil.rmtree(self.folder, ignore_errors=True)
            self._run(
                [find_uv(), "venv", "--quiet", "--python", find_python(self.declared.python), str(self.folder)],
                progress,
            )
            assert self.declared.lock is not None
            install = [
                "pip",
                "install",
                "--python",
                str(self.python),
                "--no-deps",
                "--compile-bytecode",
                *install_options(self.declared.lock),
                "--requirement",
                str(self.declared.lock),
            ]
            self._run([find_uv(), *install], progress)
            (self.folder / "complete").touch()

    def _run(self, command: list[str], progress: Callable[[str], None]) -> None:
        environment = {**os.environ, "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        ) as process:
            assert process.stdout is not None
            last: list[str] = []
            for line in process.stdout:
                last = [*last[1 - MAX_LINES :], line.rstrip()]
                progress(line.rstrip())
        if process.returncode:
            shutil.rmtree(self.folder, ignore_errors=True)
            output = " ".join(last)
            problem = disk_problem(RuntimeError(output), self.folder) or Problem(
                "install-failed",
                f"the environment `{self.name}` cannot be installed: {output}"[:1500],
                hint="check the network and the disk, then run again",
            )
            raise StageError(f"environment {self.name}", problem)


def find_uv() -> str:
    """Return the path of the uv that was installed with ftrun."""
    from uv import find_uv_bin

    return find_uv_bin()


def find_python(version: str) -> str:
    """Return a Python of this version from PATH or pyenv, or else the version, for which uv may download a Python."""
    candidates = [shutil.which(f"python{version}"), shutil.which("python3")]
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates += [str(path) for path in sorted(root.glob(f"versions/{version}.*/bin/python"), reverse=True)]
    for python in candidates:
        if python and _read_version(python) == version:
            return python
    return version


def _read_version(python: str) -> str | None:
    command = [python, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() if result.returncode == 0 else None
