"""Write the locks of the environments: the version of each package, and the hashes of all of its files.

    python tools/lock_environments.py [--upgrade] [NAME...]

A lock keeps its versions as long as they fit what `locks/NAME.in` declares; `--upgrade` takes the newest ones. `uv` is
that of this interpreter.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

LOCKS = Path(__file__).parents[1] / "locks"
NAMES = ("client", "server", "server_cpu", "trainer")
PLATFORM = ("--python-version", "3.12", "--python-platform", "x86_64-manylinux_2_28")


def main() -> int:
    """Write the locks; return 1 if one cannot be resolved."""
    parser = argparse.ArgumentParser(description="Write the locks of the environments.")
    parser.add_argument("--upgrade", action="store_true", help="Take the newest versions.")
    parser.add_argument("names", nargs="*", default=NAMES, metavar="NAME")
    arguments = parser.parse_args()
    for name in arguments.names:
        command = compile_command(name, LOCKS / f"{name}.txt", arguments.upgrade)
        if subprocess.run(command, check=False).returncode:
            return 1
    return 0


def compile_command(name: str, output: Path, upgrade: bool = False) -> list[str]:
    """Return the command that resolves what an environment declares and writes the lock to `output`.

    uv keeps the versions that `output` has already.
    """
    command = [
        find_uv_bin(),
        "pip",
        "compile",
        "--quiet",
        "--no-header",
        "--no-annotate",
        "--generate-hashes",
        *PLATFORM,
    ]
    overrides = LOCKS / f"{name}.overrides"
    command += ["--override", str(overrides)] if overrides.exists() else []
    command += ["--upgrade"] if upgrade else []
    return [*command, str(LOCKS / f"{name}.in"), "--output-file", str(output)]


if __name__ == "__main__":
    sys.exit(main())
