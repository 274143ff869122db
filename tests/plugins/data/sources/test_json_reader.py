from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun_plugins.data.sources import json_scanner, open_data
from ftrun_plugins.data.sources.json_reader import read_array
from ftrun_plugins.data.sources.json_source import JsonArray
from ftrun_plugins.data.sources.jsonl_reader import MAX_ROW_BYTES
from helpers.catalogue.case import is_about

FILE = "data.json"


def problem_of(path: Path, field: str | None = None) -> Problem:
    with pytest.raises(InvalidInput) as refused:
        list(read_array(path, path.name, field))
    return refused.value.problems[0]


ODD_BUT_RIGHT: dict[str, tuple[bytes, list[Any]]] = {
    "on one line": (b'[{"a":1},{"a":2}]', [{"a": 1}, {"a": 2}]),
    "indented, with a BOM and CRLF": (b'\xef\xbb\xbf[\r\n  {\r\n"a": 1\r\n}\r\n]\r\n', [{"a": 1}]),
    "brackets and quotes in texts": (b'[{"a": "]}[{\\"\\\\"}, {"]": "\\\\"}]', [{"a": ']}[{"\\'}, {"]": "\\"}]),
    "an empty object": (b"[{}]", [{}]),
    "objects and lists inside": (b'[{"a": {"b": [[], {"c": []}]}}]', [{"a": {"b": [[], {"c": []}]}}]),
    "90 levels": (b"[" + b'{"a": ' * 90 + b"1" + b"}" * 90 + b"]", [json.loads('{"a": ' * 90 + "1" + "}" * 90)]),
    "packed": (gzip.compress(b'[{"a": 1}]'), [{"a": 1}]),
}


@pytest.mark.parametrize(("content", "rows"), ODD_BUT_RIGHT.values(), ids=ODD_BUT_RIGHT)
def test_what_looks_odd_and_is_right_is_read(content: bytes, rows: list[Any], data: Callable[[bytes], Path]) -> None:
    assert list(read_array(data(content), "x")) == [Row(row, "x", number) for number, row in enumerate(rows, 1)]


BAD_ROWS = {
    "a number": (b'[{"a": 1}, 7]', "wrong-type a number, not an object (the row begins in line 1)"),
    "a list": (b'[{"a": 1},\n\n[1]]', "wrong-type a list, not an object (the row begins in line 3)"),
    "a key twice": (b'[{"a": 1},\n{"a": 1, "a": 2}]', "duplicate-key `a`"),
    "NaN": (b'[{"a": 1}, {"a": NaN}]', "invalid-json NaN"),
    "a missing colon": (
        b'[{"a": 1}, {"a" 1}]',
        "invalid-json the row is not JSON: expecting ':' delimiter at character 6: '1}'",
    ),
    "not UTF-8": (b'[{"a": 1}, {"a": "\xff"}]', "invalid-encoding the row is not UTF-8: byte 0xff at position 8"),
    "too deep": (b'[{"a": 1}, ' + b"[" * 10_000 + b"]" * 10_000 + b"]", "too-deep 100 levels"),
    "a lone surrogate": (b'[{"a": 1}, {"a": "\\ud83d"}]', "invalid-encoding \\ud83d is a lone surrogate"),
}


@pytest.mark.parametrize(("content", "reason"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_told_by_its_number(content: bytes, reason: str, data: Callable[[bytes], Path]) -> None:
    good, bad = read_array(data(content), "data.json")

    assert good == Row({"a": 1}, "data.json", 1)
    assert isinstance(bad, BadRow)
    assert (bad.file, bad.line) == ("data.json", 2)
    assert is_about(bad.code, bad.reason, reason)


WRONG_FILES = {
    "empty": (b"", "no-rows empty"),
    "an empty list": (b" [ ] ", "no-rows the list is empty"),
    "JSON Lines": (b'{"a": 1}\n{"a": 2}\n', "wrong-format begins with an object, not with a list"),
    "a text": (b"hello", "wrong-format not JSON"),
    "cut inside a row": (b'[{"a": 1},\n{"a": "b', "invalid-json ends inside the value that begins in line 2"),
    "cut behind a row": (
        b'[{"a": 1}',
        "invalid-json but the file ends (line 1, column 10)",
    ),
    "no comma": (
        b'[{"a": 1}\n {"a": 2}]',
        "invalid-json a comma or the end of the list, but found '{\"a\": 2}]' (line 2, column 2)",
    ),
    "a comma too many": (b'[{"a": 1},]', "invalid-json a value, but found ']' (line 1, column 11)"),
    "two lists": (b'[{"a": 1}]\n[]', "invalid-json the end of the file, but found '[]' (line 2, column 1)"),
    "Parquet": (b"PAR1....", "wrong-format a Parquet file, not JSON"),
    "a wrong bracket": (b'[{"a": 1])', "invalid-json a comma or the end of the list, but found ')'"),
}


@pytest.mark.parametrize(("content", "what"), WRONG_FILES.values(), ids=WRONG_FILES)
def test_a_file_that_is_wrong_as_a_whole_is_refused(content: bytes, what: str, data: Callable[[bytes], Path]) -> None:
    problem = problem_of(data(content))

    assert problem.at == "data.json"
    assert is_about(problem.code, problem.what, what)


def test_a_value_without_end_is_not_kept_in_memory(data: Callable[[bytes], Path]) -> None:
    path = data(b'[{"a": 1},\n{"a": "' + b"x" * (MAX_ROW_BYTES + 2_000_000))

    assert problem_of(path).what == "the value that begins in line 2 is longer than 8 MB"


def test_gzip_that_unpacks_to_far_too_much_is_refused(
    data: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_data, "FREE", 1_000_000)
    path = data(gzip.compress(b'[{"a": 1}' + b" " * 50_000_000 + b"]"))

    assert problem_of(path).what == "the gzip file unpacks to more than 300 times its size"


# A list under a key

NESTED = b'{"version": 1, "other": {"rows": [7]}, "pairs": [[1, 2], {"rows": 8}], "rows": [{"a": 1}, {"a": 2}], "z": 1}'


def test_a_list_under_a_key_is_found_behind_others(data: Callable[[bytes], Path]) -> None:
    assert list(read_array(data(NESTED), "x", "rows")) == [Row({"a": 1}, "x", 1), Row({"a": 2}, "x", 2)]


def test_a_key_that_is_not_there_comes_with_the_nearest(data: Callable[[bytes], Path]) -> None:
    problem = problem_of(data(NESTED), "row")

    assert (problem.what, problem.did_you_mean[0]) == ("the file's object has no key `row`", "rows")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b'[{"a": 1}]', "wrong-format a list, not an object with keys"),
        (b'{"rows": {"a": 1}}', "invalid-json the list of `rows`, but found '{\"a\": 1}}' (line 1, column 10)"),
        (b'{"a" 1}', "invalid-json a colon, but found '1}' (line 1, column 6)"),
        (b"{1: 2}", "invalid-json a key, but found '1: 2}' (line 1, column 2)"),
        (b'{"a": 1 "b": 2}', "invalid-json a comma or the end of the object, but found '\"b\": 2}' (line 1, column 9)"),
        (b'{"a": ', "invalid-json a value, but the file ends (line 1, column 7)"),
    ],
)
def test_an_object_that_is_wrong_is_refused(content: bytes, what: str, data: Callable[[bytes], Path]) -> None:
    problem = problem_of(data(content), "rows")

    assert is_about(problem.code, problem.what, what)


# Whatever is in them

texts = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(['"', "\\", '\\"', "[", "}", "],[", "\n"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=15,
)
lists = st.lists(st.dictionaries(texts, values, max_size=4), min_size=1, max_size=6)


@given(lists, st.sampled_from([None, 0, 2]), st.booleans(), st.integers(1, 40), st.sampled_from([None, "rows"]))
def test_any_list_comes_back_in_blocks_of_any_size(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[Any],
    indent: int | None,
    ascii_only: bool,
    block: int,
    field: str,
) -> None:
    path = tmp_path_factory.mktemp("json") / "data.json"
    content = rows if field is None else {"n": [rows, {}], "rows": rows}
    path.write_text(json.dumps(content, indent=indent, ensure_ascii=ascii_only), encoding="utf-8")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(json_scanner, "BLOCK", block)
        found = list(read_array(path, "x", field))

    assert found == [Row(row, "x", number) for number, row in enumerate(rows, start=1)]


@given(lists, st.data())
def test_any_cut_is_refused(tmp_path_factory: pytest.TempPathFactory, rows: list[Any], draw: st.DataObject) -> None:
    content = json.dumps(rows).encode()
    path = tmp_path_factory.mktemp("json") / "data.json"
    path.write_bytes(content[: draw.draw(st.integers(1, len(content) - 1))])

    assert "ends" in problem_of(path).what


def test_externals_are_the_files_of_a_folder_in_order(tmp_path: Path) -> None:
    for name in ("b.json", "a/c.json", ".hidden.json", "other.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('[{"a": 1}]')
    source, options = JsonArray(), JsonArray.Options(path=tmp_path)

    found = {external.name: external.path for external in source.externals(options) if external.path}

    assert list(found) == ["a/c.json", "b.json"]
    assert [row.file for row in source.rows(options, found)] == ["a/c.json", "b.json"]
