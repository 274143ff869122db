"""Parse the `RUN` lines of images with the tools that they name, and run none of them."""

from __future__ import annotations

import asyncio
import os
import re
import shlex

from uv import find_uv_bin

UV = re.compile(r"^(?:\S*/)?uv (?=pip )")  # the client copies uv to `/.uv/uv` and calls it there
# clap prints the usage for arguments that it refuses, and only for those
REFUSED_BY_UV = re.compile(r"^error: .*^Usage: uv ", re.MULTILINE | re.DOTALL)
SECONDS = 20.0


async def build_error(command: str) -> str | None:
    """Return what the shell or uv prints about a `RUN` line that it refuses, or None.

    uv parses its whole command line before it reads a file or asks an index. So `uv pip install` is started with
    `--dry-run` and offline: it ends at the first requirement that it would have to look up.
    """
    complaint = await _complaint("sh", "-n", "-c", command)
    if complaint is not None or not UV.match(command):
        return complaint
    line = UV.sub(lambda _: f"{shlex.quote(find_uv_bin())} ", command)
    printed = await _printed("sh", "-c", f"{line} --dry-run")
    return printed if REFUSED_BY_UV.search(printed) else None


async def _complaint(*command: str) -> str | None:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, printed = await process.communicate()
    return printed.decode() if process.returncode else None


async def _printed(*command: str) -> str:
    environment = {**os.environ, "UV_OFFLINE": "1", "UV_NO_CACHE": "1"}
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), SECONDS)
    except TimeoutError:  # its arguments were accepted: it waits for something else
        process.kill()
        return ""
    return printed.decode(errors="replace")
