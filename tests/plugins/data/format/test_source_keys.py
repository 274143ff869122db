"""Hints of sources name the key of the source in the recipe, for parts and held-out rows too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ftrun.api.errors import InvalidInput
from helpers.format_stage import examples, formatted, written

ROWS = [{"question": f"Où est l'hôtel {number} ?", "answer": "là"} for number in range(3)]
TEMPLATE = {"name": "template", "prompt": "{question}", "answer": "{answer}"}
AUTO = {"name": "auto"}


def hints(folder: Path, formatter: Any, **dataset: Any) -> str:
    with pytest.raises(InvalidInput) as error:
        formatted(folder, None, formatter, **dataset)
    return " ".join(problem.hint or "" for problem in error.value.problems)


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, dict[str, str]]:
    written(tmp_path / "good.jsonl", ROWS)
    text = (tmp_path / "good.jsonl").read_text("utf-8")
    encodings = {"western": "cp1252", "wide": "utf-16"}
    for name, encoding in encodings.items():
        (tmp_path / f"{name}.jsonl").write_bytes(text.encode(encoding))
    return {name: {"name": "jsonl", "path": str(tmp_path / f"{name}.jsonl")} for name in ("good", *encodings)}


@pytest.mark.parametrize("formatter", [TEMPLATE, AUTO])
@pytest.mark.parametrize(("name", "encoding"), [("western", "cp1252"), ("wide", "utf-16")])
def test_the_key_of_the_encoding(
    name: str, encoding: str, formatter: Any, sources: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    good, other = sources["good"], sources[name]
    parts = {"a": {"source": good}, "b": {"source": other}}
    assert f"dataset.parts.b.source.encoding={encoding}" in hints(tmp_path, formatter, parts=parts)
    parts = {"a": {"source": good, "held_out": other}, "b": {"source": good}}
    (tmp_path / "output").exists() and (tmp_path / "output").rename(tmp_path / "old")
    assert f"dataset.parts.a.held_out.encoding={encoding}" in hints(tmp_path, formatter, parts=parts)


@pytest.mark.parametrize("name", ["western", "wide"])
def test_the_rows_are_those_of_a_file_in_utf_8(name: str, sources: dict[str, dict[str, str]], tmp_path: Path) -> None:
    encoding = {"western": "cp1252", "wide": "utf-16"}[name]
    artifact = formatted(tmp_path, {**sources[name], "encoding": encoding}, TEMPLATE)
    texts = [example["segments"][0]["text"] for example in examples(artifact)]
    assert texts == [row["question"] for row in ROWS]
