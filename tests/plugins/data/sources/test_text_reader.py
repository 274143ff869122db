"""Plain text as rows: by line, by paragraph, as a whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftrun.api.errors import InvalidInput
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun_plugins.data.sources import text_reader
from ftrun_plugins.data.sources.text_reader import read_text
from ftrun_plugins.data.sources.text_source import TextFiles

FILE = "book.txt"
BOOK = b"\xef\xbb\xbfA mill.\r\n  Two sails.\n\n \nThe river.\n\nThe end"


def read(path: Path, by: str) -> list[tuple[int, str]]:
    rows = list(read_text(path, FILE, by))
    assert all(isinstance(row, Row) for row in rows)
    return [(row.line, row.values["text"]) for row in rows if isinstance(row, Row)]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("line", [(1, "A mill."), (2, "  Two sails."), (5, "The river."), (7, "The end")]),
        ("paragraph", [(1, "A mill.\n  Two sails."), (5, "The river."), (7, "The end")]),
        ("file", [(1, "A mill.\n  Two sails.\n\n \nThe river.\n\nThe end")]),
    ],
)
def test_units(by: str, expected: list[tuple[int, str]], data: Callable[[bytes], Path]) -> None:
    assert read(data(BOOK), by) == expected


@given(st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)))
def test_every_line_that_says_something_is_a_row(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    path = tmp_path_factory.mktemp("text") / FILE
    path.write_bytes("\n".join(["first", *lines]).encode())
    expected = [(number, line) for number, line in enumerate(["first", *lines], start=1) if line.encode().strip()]
    assert read(path, "line") == expected


@pytest.mark.parametrize("by", ["line", "paragraph", "file"])
def test_a_text_that_is_too_long_is_one_bad_row(
    by: str, data: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_reader, "MAX_ROW_BYTES", 10)
    rows = list(read_text(data(b"x" * 35 + b"\n\nfine\n"), FILE, by))
    assert isinstance(rows[0], BadRow)
    assert (rows[0].line, rows[0].code) == (1, "too-large")
    assert len(rows[0].raw) <= 10
    assert rows[1:] == ([] if by == "file" else [Row({"text": "fine"}, FILE, 3)])


@pytest.mark.parametrize(("content", "code"), [(b"caf\xe9\n", "invalid-encoding"), (b"a\0b\n", "invalid-encoding")])
def test_a_text_that_is_no_text(content: bytes, code: str, data: Callable[[bytes], Path]) -> None:
    bad, good = read_text(data(content + b"fine\n"), FILE, "line")
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.code) == (1, code)
    assert isinstance(good, Row)


def test_a_file_of_blank_lines_is_refused(data: Callable[[bytes], Path]) -> None:
    with pytest.raises(InvalidInput) as error:
        list(read_text(data(b"\n \n"), FILE, "line"))
    assert error.value.problems[0].code == "no-rows"


def test_a_folder_of_texts(tmp_path: Path) -> None:
    for name in ("b.txt", "a.md", "c.jsonl"):
        (tmp_path / name).write_text(name)
    options = TextFiles.Options(path=tmp_path, by="file")
    files = TextFiles().externals(options)
    assert [file.name for file in files] == ["a.md", "b.txt"]
    rows = TextFiles().rows(options, {file.name: file.path for file in files if file.path})
    assert [row.values for row in rows if isinstance(row, Row)] == [{"text": "a.md"}, {"text": "b.txt"}]
