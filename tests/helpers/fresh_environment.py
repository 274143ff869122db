"""A fresh environment with ftrun in it, as somebody has who installs it: for packages that are tried beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

PROJECT = Path(__file__).resolve().parents[2]
LONGEST = 300.0  # seconds that a command may take


@dataclass(frozen=True)
class Fresh:
    """The environment, with a store and a home of its own."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        programs = self.folder / "bin"
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("FTRUN", "PYTHON", "VIRTUAL"))
        }
        return {
            **kept,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "FTRUN_STORE": str(self.folder / "store"),
            "COLUMNS": "200",
        }

    def install(self, *requirements: str) -> None:
        python = str(self.folder / "bin" / "python")
        self.run(find_uv_bin(), "pip", "install", "--quiet", "--python", python, *requirements)

    def run(self, *command: str, cwd: Path | None = None, expected: int = 0) -> str:
        """What a command prints; fails with all of it where its exit code is another than expected."""
        ended = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=cwd or self.folder,
            env=self.environment,
            timeout=LONGEST,
            check=False,
        )
        assert ended.returncode == expected, f"{command}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout + ended.stderr


def make_fresh(folder: Path, *requirements: str) -> Fresh:
    """An environment with ftrun, built from this checkout, with pip, and with further packages."""
    fresh = Fresh(folder)
    folder.mkdir(parents=True, exist_ok=True)
    fresh.run(find_uv_bin(), "venv", "--quiet", "--seed", "--allow-existing", "--python", sys.executable, str(folder))
    fresh.install(f"{PROJECT}[testing]", *requirements)
    return fresh
