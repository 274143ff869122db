"""`ftrun recipes copy`: a copy of a recipe means the same where it is put."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftrun.api.config_dirs import ConfigFolders, recipe_names
from ftrun.cli.main import run_command
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import load
from ftrun.utils.package_data import find_data_folder
from helpers.another_plugin import another_plugin

FEW = ("quickstart", "codellama_modal_docs", "mistral_sql", "llama3_1_8b_full")  # the others are alike
NAMES = [
    pytest.param(name, marks=() if name in FEW else pytest.mark.drill)
    for name in recipe_names(find_data_folder("recipes"))
]


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_means_the_same_as_its_copy(name: str, folder: Path) -> None:
    target = folder / "deep" / "copy.yaml"
    assert run_command(["recipes", "copy", name, str(target)]) == 0
    assert run_command(["validate", f"recipe={target}"]) == 0
    original, copy = (load([f"recipe={one}"], plugins()).recipe for one in (name, target))
    assert copy.model_copy(update={"name": original.name}) == original
    assert f"# Run:   ftrun recipe={target}" in target.read_text()
    assert f"recipe={name}" not in target.read_text()


def test_a_folder_gets_a_file_of_the_recipes_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["recipes", "copy", "quickstart", "."]) == 0
    assert capsys.readouterr().out == "quickstart.yaml\n\nnext     ftrun validate recipe=quickstart.yaml\n"
    assert "# Run:   ftrun recipe=quickstart.yaml\n" in (folder / "quickstart.yaml").read_text()


def test_a_name_with_spaces_is_quoted_in_the_header(folder: Path) -> None:
    assert run_command(["recipes", "copy", "quickstart", "my own.yaml"]) == 0
    assert "# Run:   ftrun recipe='my own.yaml'\n" in (folder / "my own.yaml").read_text()


@pytest.mark.parametrize(
    ("name", "target", "code", "part"),
    [
        ("quikstart", "new.yaml", "unknown-name", "`quikstart`"),
        ("quickstart", "there.yaml", "file-exists", "there.yaml "),
        ("quickstart", "new.txt", "invalid-value", "new.txt "),
        ("quickstart", "new", "invalid-value", "new "),
    ],
)
def test_what_cannot_be_copied_is_said(
    name: str, target: str, code: str, part: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "there.yaml").write_text("mine")
    assert run_command(["recipes", "copy", name, target]) == 2
    err = capsys.readouterr().err
    assert f"[{code}]" in err
    assert part in err
    assert (folder / "there.yaml").read_text() == "mine"
    assert len(list(folder.iterdir())) == 1


def test_relative_paths_lead_where_they_led(folder: Path, tmp_path: Path) -> None:
    """Those that the recipe itself sets, for those of groups are relative to the groups' files."""
    theirs = tmp_path / "their recipes"
    theirs.mkdir()
    rows = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
    (theirs / "rows.jsonl").write_text(rows)
    (theirs / "_base.yaml").write_text(
        "defaults:\n"
        "  - override /model: smollm2_135m_instruct\n"
        "  - override /dataset: quickstart_sql\n"
        "  - override /optimizations: [lora]\n"
    )
    (theirs / "theirs.yaml").write_text(
        "# Theirs.\n# Run: ftrun recipe=theirs train.x=1, not recipe=theirs2\ndefaults: [_base]\n"
        "dataset:\n  source: {name: jsonl, path: rows.jsonl}  # beside it\n  held_out:\n    name: jsonl\n"
        "    path: 'rows.jsonl'\n"
        "train: {sequence_len: 512, micro_batch_size: 1, gradient_accumulation_steps: 1, num_epochs: 1,\n"
        "  learning_rate: 1e-3, optimizer: adamw_torch}\n"
    )

    with another_plugin(ftrun_config_sources=lambda: ConfigFolders("theirs", recipes=theirs)):
        assert run_command(["recipes", "copy", "theirs", "mine.yaml"]) == 0
        original, copy = (load([f"recipe={one}"], plugins()).recipe for one in ("theirs", "mine.yaml"))
    text = (folder / "mine.yaml").read_text()
    assert f'path: "{theirs}/rows.jsonl"}}  # beside it\n' in text
    assert "# Run: ftrun recipe=mine.yaml train.x=1, not recipe=theirs2\n" in text
    assert copy.dataset == original.dataset
    assert copy.dataset.source.options["path"] == str(theirs / "rows.jsonl")
