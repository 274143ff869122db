"""What is remembered of transformers' modules is what transformers itself would answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftrun_plugins.axolotl.import_map import Structure, remembered

MODELS = Path("/packages/transformers/models")
WHOLE: Structure = {
    frozenset(): {"llama.configuration_llama": {"LlamaConfig"}, "auto.tokenization_auto": {"AutoTokenizer"}},
    frozenset({"torch", "vision"}): {"clip.modeling_clip": {"CLIPModel", "CLIPVisionModel"}},
}


class Asked:
    """Stands where transformers reads its files, and counts."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def __call__(self, module_path: str | Path, prefix: str | None = None) -> Structure:
        self.paths.append(str(module_path))
        return WHOLE


@pytest.mark.parametrize("path", [MODELS, MODELS / "__init__.py", str(MODELS / "__init__.py")])
def test_it_is_asked_once_and_answers_the_same(tmp_path: Path, path: str | Path) -> None:
    ask = Asked()
    kept = tmp_path / "share" / "map.json"
    assert remembered(ask, kept)(path) == WHOLE
    assert remembered(ask, kept)(path) == WHOLE
    assert ask.paths == [str(MODELS)]


def test_names_have_the_prefix_that_is_asked_for(tmp_path: Path) -> None:
    found = remembered(Asked(), tmp_path / "map.json")(MODELS, prefix="models")
    assert found[frozenset({"torch", "vision"})] == {"models.clip.modeling_clip": {"CLIPModel", "CLIPVisionModel"}}


def test_one_model_is_not_remembered(tmp_path: Path) -> None:
    ask = Asked()
    for _ in range(2):
        remembered(ask, tmp_path / "map.json")(MODELS / "llama" / "__init__.py")
    assert len(ask.paths) == 2
    assert not (tmp_path / "map.json").exists()


def test_where_nothing_can_be_kept_it_answers_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert remembered(Asked(), tmp_path / "file" / "map.json")(MODELS) == WHOLE


def test_a_file_that_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    kept = tmp_path / "map.json"
    kept.write_text("[[[")
    assert remembered(Asked(), kept)(MODELS) == WHOLE
    assert remembered(Asked(), kept)(MODELS) == WHOLE
