from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ftrun_plugins.axolotl.tokenize.embedding_check import describe_added_rows


def described(folder: Path, config: Any, tokens: int) -> str | None:
    (folder / "config.json").write_text(json.dumps(config))
    vocabulary = {f"<t{number}>": number for number in range(tokens)}
    return describe_added_rows(folder, SimpleNamespace(get_vocab=lambda: vocabulary))


@pytest.mark.parametrize("config", [{"vocab_size": 10}, {"text_config": {"vocab_size": 10}}], ids=["own", "text"])
def test_tokens_without_a_row_are_named(config: Any, tmp_path: Path) -> None:
    text = described(tmp_path, config, 15)
    assert text is not None
    assert "'<t10>', '<t11>', '<t12>' and 2 more" in text
    assert described(tmp_path, config, 10) is None


@pytest.mark.parametrize("config", [{}, [], {"vocab_size": None}, {"text_config": None}])
def test_a_configuration_that_does_not_say_it_gives_no_warning(config: Any, tmp_path: Path) -> None:
    assert described(tmp_path, config, 15) is None
    (tmp_path / "config.json").unlink()
    assert describe_added_rows(tmp_path, SimpleNamespace(get_vocab=lambda: {"a": 0})) is None
