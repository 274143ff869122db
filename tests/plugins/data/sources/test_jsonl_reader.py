from __future__ import annotations

import gzip
import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun_plugins.data.sources.json_row import parse
from ftrun_plugins.data.sources.jsonl_reader import MAX_ROW_BYTES, read_rows
from ftrun_plugins.data.sources.jsonl_source import JsonLines
from ftrun_plugins.data.sources.python_docs_source import PythonDocsSource
from ftrun_plugins.data.sources.url_source import Url
from helpers.catalogue import bad_lines
from helpers.catalogue.case import Bad, is_about

GOOD = b'{"a": 1}\n'


FILE = "data.jsonl"


def problem_of(path: Path) -> Problem:
    with pytest.raises(InvalidInput) as refused:
        list(read_rows(path, path.name))
    (problem,) = refused.value.problems
    return problem


@pytest.mark.parametrize("case", bad_lines.CASES, ids=lambda case: case.name)
def test_a_bad_line_is_one_bad_row_and_the_rest_is_read(case: Bad, data: Callable[[bytes], Path]) -> None:
    assert isinstance(case.data, bytes)
    first, bad, last = read_rows(data(case.data), "data.jsonl")

    assert isinstance(bad, BadRow)
    assert (bad.file, bad.line) == ("data.jsonl", 2)
    assert is_about(bad.code, bad.reason, case.reason)
    assert len(bad.raw) <= 200
    assert first == Row({"text": "fine"}, "data.jsonl", 1)
    assert last == Row({"text": "fine"}, "data.jsonl", 3)


def test_a_row_over_the_limit_is_not_held_in_memory_and_the_next_is_read(data: Callable[[bytes], Path]) -> None:
    path = data(b'{"a": "' + b"x" * 3 * MAX_ROW_BYTES + b'"}\n' + GOOD)

    bad, row = read_rows(path, "data.jsonl")

    assert isinstance(bad, BadRow)
    assert (bad.line, bad.code) == (1, "too-large")
    assert row == Row({"a": 1}, "data.jsonl", 2)


def test_a_last_row_over_the_limit_without_a_line_end(data: Callable[[bytes], Path]) -> None:
    (bad,) = read_rows(data(b"x" * (MAX_ROW_BYTES + 1)), "data.jsonl")

    assert isinstance(bad, BadRow)
    assert bad.code == "too-large"


WRONG_FILES = {
    "empty": (b"", "no-rows"),
    "blank": (b"\n \r\n\t\n", "no-rows"),
    "only a BOM": (b"\xef\xbb\xbf", "no-rows"),
    "gzip in gzip": (gzip.compress(gzip.compress(GOOD)), "wrong-format twice, the second time by gzip"),
    "gzip cut short": (
        gzip.compress(GOOD)[:-9],
        "damaged-file gzip",
    ),
    "zip": (b"PK\x03\x04....", "wrong-format zip"),
    "zstd": (b"\x28\xb5\x2f\xfd....", "damaged-file zstd"),
    "Parquet": (b"PAR1....", "wrong-format Parquet"),
    "UTF-16": ('{"a": 1}\n'.encode("utf-16"), "invalid-encoding UTF-16"),
    "UTF-16, big end": (b"\xfe\xff" + '{"a": 1}\n'.encode("utf-16-be"), "invalid-encoding UTF-16"),
    "a JSON array": (b'\xef\xbb\xbf \n[{"a": 1},\n{"a": 2}]\n', "wrong-format JSON array"),
    "indented objects": (b'{\n  "a": 1\n}\n', "wrong-format several lines"),
}


@pytest.mark.parametrize(("content", "what"), WRONG_FILES.values(), ids=WRONG_FILES)
def test_a_file_that_is_wrong_as_a_whole_is_refused(content: bytes, what: str, data: Callable[[bytes], Path]) -> None:
    problem = problem_of(data(content))

    assert problem.at == "data.jsonl"
    assert is_about(problem.code, problem.what, what)


def test_a_compressed_file_and_an_array_come_with_a_remedy(data: Callable[[bytes], Path]) -> None:
    assert "gunzip" in str(problem_of(data(gzip.compress(gzip.compress(GOOD)))).hint)
    assert "dataset.source.name=json" in str(problem_of(data(b"[1]")).hint)


ODD_BUT_RIGHT = {
    "a BOM at the start": (b"\xef\xbb\xbf" + GOOD, [({"a": 1}, 1)]),
    "CRLF": (b'{"a": 1}\r\n{"a": 2}\r\n', [({"a": 1}, 1), ({"a": 2}, 2)]),
    "no line end at the end": (b'{"a": 1}\n{"a": 2}', [({"a": 1}, 1), ({"a": 2}, 2)]),
    "blank lines": (b'\n\n{"a": 1}\n  \n{"a": 2}\n\n', [({"a": 1}, 3), ({"a": 2}, 5)]),
    "escaped letters": (b'{"a": "caf\\u00e9 \\ud83d\\ude00"}', [({"a": "café 😀"}, 1)]),
    "an escaped NUL": (b'{"a": "\\u0000"}', [({"a": "\0"}, 1)]),
    "line separators": ('{"a": "x\u2028y\x85z"}\n'.encode(), [({"a": "x\u2028y\x85z"}, 1)]),
    "an object in a text": (b'{"a": "{\\"b\\": 1, \\"b\\": 2}"}', [({"a": '{"b": 1, "b": 2}'}, 1)]),
    "a text that begins with a colon": (b'{"a": ": b", "c": ":"}', [({"a": ": b", "c": ":"}, 1)]),
    "a key that ends in a backslash": (b'{"a\\\\": "x: \\":"}', [({"a\\": 'x: ":'}, 1)]),
    "spaces around colons": (b'{"a" : "b : c" , "d"  :1}', [({"a": "b : c", "d": 1}, 1)]),
    "one key in two objects": (b'{"a": {"b": 1}, "c": [{"b": 2}, {"b": 3}]}', None),
    "an empty object": (b"{}", [({}, 1)]),
    "100 levels": (b'{"a": ' * 100 + b"1" + b"}" * 100, None),
}


@pytest.mark.parametrize(("content", "expected"), ODD_BUT_RIGHT.values(), ids=ODD_BUT_RIGHT)
def test_what_looks_odd_and_is_right_is_read(
    content: bytes, expected: list[tuple[Any, int]] | None, data: Callable[[bytes], Path]
) -> None:
    rows = list(read_rows(data(content), "data.jsonl"))

    expected = [(json.loads(content), 1)] if expected is None else expected
    assert rows == [Row(values, "data.jsonl", line) for values, line in expected]


texts = st.text(st.characters(exclude_categories=["Cs"]))
keys = texts | st.sampled_from(["a", 'a":', "\\", '":', ":"])
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    scalars | keys, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)
objects = st.dictionaries(keys, values, max_size=5)


@given(
    st.lists(objects, min_size=1, max_size=5), st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" ,", "\t:")])
)
def test_any_objects_come_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], ascii_only: bool, separators: tuple[str, str]
) -> None:
    path = tmp_path_factory.mktemp("lines") / "data.jsonl"
    lines = (json.dumps(row, ensure_ascii=ascii_only, separators=separators) for row in rows)
    path.write_text("\n".join(lines), encoding="utf-8", newline="")

    assert list(read_rows(path, "x")) == [Row(row, "x", number) for number, row in enumerate(rows, start=1)]


@given(objects, keys, values, st.lists(st.sampled_from([":", " :", "\t: ", "\n:"]), min_size=1), st.booleans())
@example({}, "a", 1, [":", "\n:"], False)
def test_a_repeated_key_is_always_found(
    row: dict[str, Any], key: str, value: Any, colons: list[str], ascii_only: bool
) -> None:
    inner = {**row, key: value}
    pairs = zip([*inner.items(), (key, value)], itertools.cycle(colons), strict=False)
    text = ", ".join(
        f"{json.dumps(name)}{colon}{json.dumps(item, ensure_ascii=ascii_only)}" for (name, item), colon in pairs
    )

    bad = parse(b'{"outer": {' + text.encode() + b"}}", "x", 1)

    assert isinstance(bad, BadRow)
    assert is_about(bad.code, bad.reason, f"duplicate-key `{key[:60]}`")


@given(objects.filter(bool), st.data())
def test_a_cut_line_is_always_bad_with_a_reason(row: dict[str, Any], draw: st.DataObject) -> None:
    line = orjson.dumps(row)
    cut = line[: draw.draw(st.integers(1, len(line) - 1))]

    bad = parse(cut, "x", 1)

    assert isinstance(bad, BadRow)
    assert bad.code in ("truncated", "invalid-encoding")


@given(st.binary(min_size=1))
def test_any_bytes_are_a_row_or_have_a_reason(line: bytes) -> None:
    assert isinstance(parse(line, "x", 1), Row | BadRow)


def refusal(source: JsonLines | PythonDocsSource, options: Any) -> Problem:
    with pytest.raises(InvalidInput) as refused:
        source.externals(options)
    return refused.value.problems[0]


def test_externals_is_the_file_under_its_name(data: Callable[[bytes], Path]) -> None:
    path = data(GOOD)
    source, options = JsonLines(), JsonLines.Options(path=path)

    (external,) = source.externals(options)

    assert (external.name, external.path) == ("data.jsonl", path)
    assert list(source.rows(options, {"data.jsonl": path})) == [Row({"a": 1}, "data.jsonl", 1)]


def test_a_missing_file_is_refused_with_the_nearest_names(data: Callable[[bytes], Path]) -> None:
    path = data(GOOD)

    problem = refusal(JsonLines(), JsonLines.Options(path=path.with_name("dada.jsonl")))

    assert (problem.code, problem.did_you_mean) == ("file-not-found", ("data.jsonl",))
    assert problem.at == str(path.with_name("dada.jsonl"))


def test_a_folder_a_missing_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    (tmp_path / "inside.json").touch()
    os.mkfifo(tmp_path / "pipe")

    def what(path: Path) -> Problem:
        return refusal(JsonLines(), JsonLines.Options(path=path))

    empty = what(tmp_path)
    assert (empty.code, empty.did_you_mean) == ("no-files", ("inside.json", "pipe"))
    assert what(tmp_path / "pipe").code == "wrong-format"
    assert what(tmp_path / "no" / "data.jsonl").code == "file-not-found"
    assert str(tmp_path) in str(what(tmp_path / "no" / "data.jsonl").hint)


def test_a_file_that_cannot_be_opened_is_refused(
    data: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = data(GOOD)

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)  # tests may run as root, whom no mode keeps out

    assert refusal(JsonLines(), JsonLines.Options(path=path)).what == "the file cannot be read: Permission denied"


def test_a_url_is_known_by_its_digest_and_last_name(data: Callable[[bytes], Path]) -> None:
    options = Url.Options(url="https://example.org/a/my%20rows.jsonl?x=1", sha256="ab" * 32)

    (external,) = Url().externals(options)

    assert (external.name, external.url, external.sha256) == ("my rows.jsonl", options.url, "ab" * 32)
    assert list(Url().rows(options, {"my rows.jsonl": data(GOOD)})) == [Row({"a": 1}, "my rows.jsonl", 1)]


@pytest.mark.parametrize(
    "wrong", [{"sha256": "ab"}, {"url": "ftp://example.org/x"}, {"url": "data.jsonl"}, {"path": "x"}]
)
def test_a_url_needs_an_address_and_a_sha256(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Url.Options.model_validate({"url": "https://example.org/x", "sha256": "ab" * 32, **wrong})


def test_python_docs_is_a_source_whose_places_are_its_files() -> None:
    source, options = PythonDocsSource(), PythonDocsSource.Options(package="pluggy")
    files = {external.name: external.path for external in source.externals(options) if external.path}

    rows = list(source.rows(options, files))

    assert "pluggy/_manager.py" in files
    assert rows
    assert all(isinstance(row, Row) and row.file in files and row.values["group"] for row in rows)


def test_python_docs_reads_the_files_that_were_planned_with_wherever_they_lie(tmp_path: Path) -> None:
    source, options = PythonDocsSource(), PythonDocsSource.Options(package="pluggy")
    files = {external.name: external.path for external in source.externals(options) if external.path}
    elsewhere = {}
    for number, (name, path) in enumerate(files.items()):
        elsewhere[name] = tmp_path / str(number)  # as a store elsewhere keeps them: by content, without names
        elsewhere[name].write_bytes(path.read_bytes())
    rows = [row for row in source.rows(options, files) if isinstance(row, Row)]
    assert list(source.rows(options, elsewhere)) == rows

    edited = tmp_path / "edited"
    edited.write_text(files[rows[0].file].read_text().replace(" the ", " a "))
    assert list(source.rows(options, {**elsewhere, rows[0].file: edited})) != rows


def test_python_docs_of_a_package_that_is_not_there_is_refused() -> None:
    assert "nearest installed: pluggy" in refusal(PythonDocsSource(), PythonDocsSource.Options(package="plugy")).what
