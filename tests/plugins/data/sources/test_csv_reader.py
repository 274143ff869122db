from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun_plugins.data.sources.csv_reader import Shape, read_csv
from ftrun_plugins.data.sources.csv_source import Csv
from ftrun_plugins.data.sources.jsonl_reader import MAX_ROW_BYTES
from helpers.catalogue.case import is_about

HEAD = b"a,b\n1,2\n"


FILE = "data.csv"


def problem_of(path: Path, shape: Shape = Shape()) -> Problem:  # noqa: B008  (frozen)
    with pytest.raises(InvalidInput) as refused:
        list(read_csv(path, path.name, shape))
    return refused.value.problems[0]


ODD_BUT_RIGHT: dict[str, tuple[bytes, Shape, list[tuple[dict[str, str], int]]]] = {
    "a BOM and CRLF": (b"\xef\xbb\xbfa,b\r\n1,2\r\n", Shape(), [({"a": "1", "b": "2"}, 2)]),
    "no line end at the end": (b"a,b\n1,2", Shape(), [({"a": "1", "b": "2"}, 2)]),
    "lines, quotes and delimiters in a text": (
        b'a,b\n"x\ny, ""z""",2\n3,4\n',
        Shape(),
        [({"a": 'x\ny, "z"', "b": "2"}, 2), ({"a": "3", "b": "4"}, 4)],
    ),
    "blank lines": (b"a,b\n\n1,2\n\n3,4\n", Shape(), [({"a": "1", "b": "2"}, 3), ({"a": "3", "b": "4"}, 5)]),
    "empty fields": (b"a,b\n,\n", Shape(), [({"a": "", "b": ""}, 2)]),
    "a quote inside a text without quotes": (b'a\n5" pipe\n', Shape(), [({"a": '5" pipe'}, 2)]),
    "tabs": (b"a\tb\n1,5\t2\n", Shape("\t"), [({"a": "1,5", "b": "2"}, 2)]),
    "no quotes": (b'a,b\n"1,2\n', Shape(quote=None), [({"a": '"1', "b": "2"}, 2)]),
    "no first line with names": (b"1,2\n", Shape(columns=("x", "y")), [({"x": "1", "y": "2"}, 1)]),
    "one column": (b"text\nhello\n", Shape(), [({"text": "hello"}, 2)]),
    "line separators of Unicode": ("a\nx\u2028y\x85\n".encode(), Shape(), [({"a": "x\u2028y\x85"}, 2)]),
}


@pytest.mark.parametrize(("content", "shape", "rows"), ODD_BUT_RIGHT.values(), ids=ODD_BUT_RIGHT)
def test_what_looks_odd_and_is_right_is_read(
    content: bytes, shape: Shape, rows: list[tuple[dict[str, str], int]], data: Callable[[bytes], Path]
) -> None:
    assert list(read_csv(data(content), "x", shape)) == [Row(values, "x", line) for values, line in rows]


BAD_ROWS = {
    "a field too many": (b"1,2,3\n", "wrong-columns 3 fields, not 2"),
    "a field too few": (b"1\n", "wrong-columns `b`"),
    "not UTF-8": (b"caf\xe9,2\n", "invalid-encoding byte 0xe9 at position 4 of line 3"),
    "not UTF-8 further down": (b'"x\ncaf\xe9",2\n', "invalid-encoding byte 0xe9 at position 4 of line 4"),
    "a NUL": (b"1\x00,2\n", "bad-row NUL"),
    "something behind quotes": (b'"1"x,2\n', "bad-row ',' expected after '\"'"),
}


@pytest.mark.parametrize(("line", "reason"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_told_by_its_line_and_the_next_is_read(
    line: bytes, reason: str, data: Callable[[bytes], Path]
) -> None:
    good, bad, last = read_csv(data(HEAD + line + b"5,6\n"), "data.csv", Shape())

    assert isinstance(good, Row)
    assert isinstance(bad, BadRow)
    assert (bad.file, bad.line) == ("data.csv", 3)
    assert is_about(bad.code, bad.reason, reason)
    assert last == Row({"a": "5", "b": "6"}, "data.csv", 4 + line.count(b"\n", 0, -1))


WRONG_FILES = {
    "empty": (b"", "data.csv", "no-rows empty"),
    "blank": (b"\n\n", "data.csv", "no-rows blank lines"),
    "no rows": (b"a,b\n", "data.csv", "no-rows column names"),
    "a name twice": (b"a,b,a\n1,2,3\n", "data.csv:1", "wrong-format `a`"),
    "another delimiter": (b"a\tb\n1\t2\n", "data.csv:1", "wrong-format `a\\tb`: is `\\t` the delimiter?"),
    "a column without a name": (b"a,,c\n1,2,3\n", "data.csv:1", "wrong-format column 2"),
    "a quote that never ends": (HEAD + b'"x,2\n3,4\n', "data.csv:3", "wrong-format line 3"),
    "UTF-16": ("a,b\n".encode("utf-16"), "data.csv", "invalid-encoding UTF-16"),
    "a spreadsheet": (b"PK\x03\x04....", "data.csv", "wrong-format zip archive, not CSV"),
}


@pytest.mark.parametrize(("content", "where", "what"), WRONG_FILES.values(), ids=WRONG_FILES)
def test_a_file_that_is_wrong_as_a_whole_is_refused(
    content: bytes, where: str, what: str, data: Callable[[bytes], Path]
) -> None:
    problem = problem_of(data(content))

    assert problem.at == where
    assert is_about(problem.code, problem.what, what)


@pytest.mark.parametrize("content", [b"x" * (MAX_ROW_BYTES + 1), b'"' + b"xxxxxxxxx\n" * (MAX_ROW_BYTES // 9)])
def test_a_row_without_end_is_not_kept_in_memory(content: bytes, data: Callable[[bytes], Path]) -> None:
    assert problem_of(data(HEAD + content)).at == "data.csv:3"


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | st.sampled_from(
    ['"', ",", "\r", "\n"]
)


@given(
    st.lists(st.tuples(texts, texts), min_size=1, max_size=6), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"])
)
def test_what_pythons_writer_writes_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], delimiter: str, end: str
) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    path = tmp_path_factory.mktemp("csv") / "data.csv"
    path.write_bytes(written.getvalue().encode())

    found = list(read_csv(path, "x", Shape(delimiter)))

    assert [row.values for row in found if isinstance(row, Row)] == [dict(zip("ab", row, strict=True)) for row in rows]


@pytest.mark.parametrize(
    "wrong", [{"delimiter": ""}, {"delimiter": ",,"}, {"delimiter": "\n"}, {"quote": " "}, {"columns": ["a", "a"]}]
)
def test_options_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Csv.Options.model_validate({"path": "x.csv", **wrong})


def test_a_pattern_takes_what_matches_in_order(tmp_path: Path) -> None:
    for name in ("b-1.csv", "a-1.csv", "c-2.csv"):
        (tmp_path / name).write_bytes(HEAD)
    source, options = Csv(), Csv.Options(path=tmp_path / "*-1.csv")

    files = {external.name: external.path for external in source.externals(options) if external.path}

    assert list(files) == ["a-1.csv", "b-1.csv"]
    assert [row.file for row in source.rows(options, files)] == ["a-1.csv", "b-1.csv"]
    with pytest.raises(InvalidInput) as refused:
        source.externals(Csv.Options(path=tmp_path / "*-3.csv"))
    assert refused.value.problems[0].code == "no-files"
