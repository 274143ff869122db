from __future__ import annotations

from pathlib import Path

import pytest

from ftrun_plugins.axolotl.check.attention_packages import MODULES, check_attention

ORIGINS = {"attn_implementation": "optimizations.flash_attention.attn_implementation"}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", MODULES)
def test_an_attention_without_its_package_is_refused(name: str, cache: Path) -> None:
    (problem,) = check_attention({"attn_implementation": name}, ORIGINS)
    assert (problem.code, problem.at) == ("missing-package", ORIGINS["attn_implementation"])


@pytest.mark.parametrize(("name", "repository"), [(name, repository) for name, (_, repository) in MODULES.items()])
def test_kernels_that_were_downloaded_replace_the_package(name: str, repository: str, cache: Path) -> None:
    (cache / repository).mkdir()
    assert list(check_attention({"attn_implementation": name}, ORIGINS)) == []


@pytest.mark.parametrize("name", ["sdpa", "eager", None])
def test_other_attentions_need_no_package(name: str | None, cache: Path) -> None:
    assert list(check_attention({"attn_implementation": name}, ORIGINS)) == []
