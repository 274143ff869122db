"""Lock files: their lines, and the options with which uv installs them without running code of a package.

The `setup.py` of a source distribution runs when uv builds it. So packages are installed as wheels, except for those
of ftrun's own locks that exist only as source distributions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ftrun.utils.package_data import find_data_folder

__all__ = [
    "BUILT",
    "PACKAGE_NAME",
    "PACKAGE_VERSION",
    "WHEELS_ONLY",
    "install_options",
    "pins",
    "requirements",
    "wrong_lines",
]

PACKAGE_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
PACKAGE_VERSION = r"[A-Za-z0-9](?:[A-Za-z0-9.!+_-]*[A-Za-z0-9])?"
HASH = "--hash="
WHEELS_ONLY = ("--only-binary", ":all:")
# Packages of ftrun's locks for which PyPI has no wheel.
BUILT = (
    "antlr4-python3-runtime",
    "axolotl-contribs-lgpl",
    "axolotl-contribs-mit",
    "deepspeed",
    "langdetect",
    "rouge-score",
    "sqlitedict",
    "word2number",
)
_LINE = re.compile(
    rf"(?P<pin>{PACKAGE_NAME}(?:\[[A-Za-z0-9._,\s-]+\])?=={PACKAGE_VERSION})(?:\s*;(?:(?!\s-)[^\\#@])+?)?"
    r"(?:\s+--hash=sha(?:256|384|512):[0-9a-f]+)*(?:\s+#.*)?\s*"
)


def wrong_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each line that is not `NAME==VERSION`: paths, URLs and options of installers.

    Such a line could name code anywhere, on any host.
    """
    for number, line in _logical_lines(text):
        if not _LINE.fullmatch(line):
            yield number, line


def pins(text: str) -> set[str]:
    """Return `name==version` of each package in the text of a lock."""
    found = (_LINE.fullmatch(line) for _, line in _logical_lines(text))
    return {match["pin"].lower() for match in found if match}


def requirements(text: str) -> list[str]:
    """Return the lines of a lock without comments and hashes, sorted: what decides which packages are installed."""
    return sorted(re.sub(r"\s+(#.*|--hash=\S+)", "", line).lower() for _, line in _logical_lines(text))


def install_options(lock: Path) -> list[str]:
    """Return the options of uv for the installation of a lock.

    They forbid builds, except of the same versions that ftrun's own locks build. If a package of the lock has hashes,
    each needs one, as with pip: uv then installs only files that have one of these hashes.
    """
    text = lock.read_text(encoding="utf-8")
    allowed = sorted({pin.partition("==")[0] for pin in pins(text) & _built_pins()})
    hashes = ["--require-hashes"] if HASH in text else []
    return [*hashes, *WHEELS_ONLY, *(option for name in allowed for option in ("--no-binary", name))]


@cache
def _built_pins() -> frozenset[str]:
    texts = [file.read_text(encoding="utf-8") for file in find_data_folder("locks").glob("*.txt")]
    return frozenset(pin for text in texts for pin in pins(text) if pin.partition("==")[0] in BUILT)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines without empty ones and comments. A backslash at the end of a line continues it."""
    start, parts = 0, list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        start = start or number
        continued = line.rstrip().endswith("\\")
        parts.append(line.rstrip().removesuffix("\\") if continued else line)
        if continued:
            continue
        joined = "".join(parts).strip()
        if joined and not joined.startswith("#"):
            yield start, joined
        start, parts = 0, []
    if parts:
        yield start, "".join(parts).strip()
