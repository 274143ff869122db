from __future__ import annotations

from pathlib import Path

import pytest

from ftrun.api.environment_digest import environment_digest
from ftrun.api.recipe import Environment

HASH = "--hash=sha256:" + "a" * 64
LOCK = f"""# made by a tool
torch==2.11.0 ; sys_platform == 'linux' \\
    {HASH}
    # via axolotl
numpy==2.1.0 \\
    {HASH}
"""


def digest_of(folder: Path, text: str) -> str:
    (folder / "lock.txt").write_text(text)
    return environment_digest(Environment(python="3.12", lock=folder / "lock.txt"))


@pytest.mark.parametrize(
    "same",
    [
        pytest.param(LOCK.replace("# via axolotl", "# via peft"), id="a comment"),
        pytest.param(LOCK.replace("a" * 64, "b" * 64), id="hashes"),
        pytest.param(
            f"numpy==2.1.0 {HASH}\n\nTorch==2.11.0 ; sys_platform == 'linux' {HASH}  # first\n", id="order and form"
        ),
    ],
)
def test_what_installs_the_same_packages_is_the_same_environment(same: str, tmp_path: Path) -> None:
    assert digest_of(tmp_path, same) == digest_of(tmp_path, LOCK)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(LOCK.replace("2.11.0", "2.11.1"), id="a version"),
        pytest.param(LOCK.replace("linux", "win32"), id="a marker"),
        pytest.param(LOCK + "pillow==1.0\n", id="a package more"),
    ],
)
def test_other_packages_are_another_environment(other: str, tmp_path: Path) -> None:
    assert digest_of(tmp_path, other) != digest_of(tmp_path, LOCK)
