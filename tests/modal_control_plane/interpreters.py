"""Which interpreter runs a container, and the client library for those that lack it."""

from __future__ import annotations

import importlib.metadata
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import platformdirs
from uv import find_uv_bin

VARIABLE = "FTRUN_ENVIRONMENT"  # an image names its environment by it
PROBE = """\
import importlib.util, sys
print("%d.%d" % sys.version_info[:2], importlib.util.find_spec("modal") is not None)
"""
LAUNCH = Path(__file__).with_name("launch.py")


class Interpreters:
    def __init__(self, named: Mapping[str, Path]) -> None:
        self._named = dict(named)
        self._commands: dict[Path, list[str]] = {}

    def command(self, environment: Mapping[str, str]) -> list[str]:
        """What starts the client's entry point in the interpreter that an image's variables ask for."""
        name = environment.get(VARIABLE)
        if name and name not in self._named:
            raise LookupError(f"{VARIABLE}={name}, but only these environments are known: {sorted(self._named)}")
        interpreter = self._named[name] if name else Path(sys.executable)
        if interpreter not in self._commands:
            self._commands[interpreter] = [str(interpreter), str(LAUNCH), *_lacking(interpreter)]
        return self._commands[interpreter]


def _lacking(interpreter: Path) -> list[str]:
    """The folder with the client, if this interpreter has none of its own."""
    if interpreter == Path(sys.executable):
        return []
    probed = subprocess.run([interpreter, "-I", "-c", PROBE], capture_output=True, text=True, check=True)
    version, present = probed.stdout.split()
    return [] if present == "True" else [str(client_folder(interpreter, version))]


def client_folder(interpreter: Path, python: str) -> Path:
    """The installed client and its needs, for another version of Python: made once, under the user's cache."""
    version = importlib.metadata.version("modal")
    folder = platformdirs.user_cache_path("ftrun") / "tests" / f"modal-{version}-python-{python}"
    if folder.exists():
        return folder
    aside = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}")
    command = [find_uv_bin(), "pip", "install", "--quiet", "--python", interpreter, "--target", aside]
    subprocess.run([*map(str, command), f"modal=={version}"], check=True)
    try:
        aside.rename(folder)
    except OSError:  # someone else made it meanwhile
        shutil.rmtree(aside)
    return folder
