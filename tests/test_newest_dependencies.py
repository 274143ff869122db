"""The newest releases within the bounds of `pyproject.toml`, for dependencies whose internals ftrun uses."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from uv import find_uv_bin

ROOT = Path(__file__).parents[1]
BOUNDED = {"hydra-core", "modal", "omegaconf"}  # what the modules below import more of than is public
INTERNAL = re.compile(r"^ *(?:from|import) (hydra\._internal|modal\._|modal_proto|omegaconf\._)", re.MULTILINE)
USERS = (
    "tests/runner/recipe/test_config_loader.py",
    "tests/runner/recipe/test_composing.py",
    "tests/runner/recipe/test_run_overrides.py",
    "tests/runner/recipe/test_refusals.py",
    "tests/plugins/modal/client",
)
OFFLINE = re.compile(
    r"error sending request|dns error|failed to fetch|client error \(Connect\)|timed out|network was disabled",
    re.IGNORECASE,
)


def uv(*arguments: str | Path) -> str:
    command = [find_uv_bin(), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=600, check=False)
    if result.returncode and OFFLINE.search(result.stderr):
        pytest.skip("the index of packages cannot be reached")
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_dependencies_with_used_internals_have_upper_bounds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    bounded = {re.split(r"[<>=\[]", line)[0] for line in project["dependencies"] if "<" in line}
    assert bounded == BOUNDED
    sources = [path for folder in ("runner", "plugins") for path in (ROOT / folder).rglob("*.py")]
    used = {name.partition(".")[0] for path in sources for name in INTERNAL.findall(path.read_text(encoding="utf-8"))}
    assert used <= {name.partition("-")[0] for name in BOUNDED}


@pytest.mark.slow
def test_their_users_work_with_the_newest_releases(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    uv("venv", "--quiet", "--allow-existing", "--python", sys.executable, tmp_path)
    uv("pip", "install", "--quiet", "--upgrade", "--python", python, "--editable", ROOT, "--group", "dev")
    releases = uv("pip", "freeze", "--python", python)
    command = [str(python), "-m", "pytest", "-q", "-m", "not slow and not drill", *USERS]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=1500, check=False)
    assert result.returncode == 0, f"{releases}\n{result.stdout}\n{result.stderr}"
