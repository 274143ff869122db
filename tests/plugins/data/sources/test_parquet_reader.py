from __future__ import annotations

import datetime
import decimal
import random
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun_plugins.data.sources.parquet_reader import read_parquet
from ftrun_plugins.data.sources.parquet_source import Parquet
from helpers.catalogue.case import is_about


def written(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    pq.write_table(pa.table(columns), path, **options)
    return path


def read(path: Path, *columns: str) -> list[dict[str, Any]]:
    return [dict(row.values) for row in read_parquet(path, "x", columns or None) if isinstance(row, Row)]


def problem_of(path: Path, *columns: str) -> Problem:
    with pytest.raises(InvalidInput) as refused:
        list(read_parquet(path, "data.parquet", columns or None))
    return refused.value.problems[0]


def test_rows_are_numbered_through_batches_and_groups(tmp_path: Path) -> None:
    path = written(tmp_path / "x.parquet", {"n": list(range(5000))}, row_group_size=700)

    rows = list(read_parquet(path, "x"))

    assert rows == [Row({"n": number}, "x", number + 1) for number in range(5000)]


def test_conversations_come_as_json_has_them(tmp_path: Path) -> None:
    messages = [[{"role": "user", "content": "é?"}, {"role": "assistant", "content": "yes"}], []]
    path = written(tmp_path / "x.parquet", {"messages": messages, "id": [1, None]})

    assert read(path) == [{"messages": messages[0], "id": 1}, {"messages": [], "id": None}]
    assert read(path, "id") == [{"id": 1}, {"id": None}]


ODD_BUT_RIGHT = {
    "a date": (pa.array([datetime.date(2024, 2, 29)]), "2024-02-29"),
    "a time": (pa.array([datetime.datetime(2024, 2, 29, 1, 2, 3)]), "2024-02-29T01:02:03"),
    "a decimal": (pa.array([decimal.Decimal("1.50")]), 1.5),
    "NaN": (pa.array([float("nan")]), None),
    "text as bytes": (pa.array(["é".encode()]), "é"),
    "a map": (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), [["k", 1]]),
    "a dictionary": (pa.array(["x"]).dictionary_encode(), "x"),
    "a large text": (pa.array(["x"], pa.large_string()), "x"),
}


@pytest.mark.parametrize(("column", "value"), ODD_BUT_RIGHT.values(), ids=ODD_BUT_RIGHT)
def test_every_type_becomes_a_json_value(column: pa.Array, value: Any, tmp_path: Path) -> None:
    assert read(written(tmp_path / "x.parquet", {"a": column})) == [{"a": value}]


def test_bytes_that_are_no_text_are_told_by_row_and_can_be_left_out(tmp_path: Path) -> None:
    path = written(tmp_path / "x.parquet", {"image": [b"ok", b"\xff\xd8"], "text": ["a", "b"]})

    _, bad = read_parquet(path, "x.parquet")

    assert isinstance(bad, BadRow)
    assert (bad.file, bad.line) == ("x.parquet", 2)
    assert is_about(bad.code, bad.reason, "bad-row column `image`")
    assert read(path, "text") == [{"text": "a"}, {"text": "b"}]


def test_a_column_that_is_not_there_comes_with_the_nearest(tmp_path: Path) -> None:
    problem = problem_of(written(tmp_path / "x.parquet", {"text": ["a"]}), "txt")

    assert (problem.what, problem.did_you_mean) == ("there is no column `txt`", ("text",))


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    assert problem_of(written(tmp_path / "x.parquet", {"a": pa.array([], pa.string())})).what == "the file has no rows"


def test_damage_inside_is_told_with_the_row_before_it(tmp_path: Path) -> None:
    path = written(tmp_path / "x.parquet", {"a": [f"text {n}" * 50 for n in range(4000)]}, row_group_size=1000)
    content = bytearray(path.read_bytes())
    half = len(content) // 2
    content[half : half + 2000] = b"\xff" * 2000
    path.write_bytes(content)

    problem = problem_of(path)

    assert problem.code == "damaged-file"
    assert str(problem.at).startswith("data.parquet:")


WRONG_FILES = {
    "empty": (b"", "no-rows"),
    "JSON": (b'{"a": 1}', "wrong-format"),
    "CSV": (b"a,b\n1,2\n", "wrong-format"),
    "cut": (b"PAR1" + b"x" * 100, "damaged-file"),
    "a mark alone": (b"PAR1", "damaged-file"),
    "gzip": (b"\x1f\x8b....", "wrong-format"),
}


@pytest.mark.parametrize(("content", "code"), WRONG_FILES.values(), ids=WRONG_FILES)
def test_a_file_that_is_no_parquet_is_refused_when_planned(content: bytes, code: str, tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    path.write_bytes(content)

    with pytest.raises(InvalidInput) as refused:
        Parquet().externals(Parquet.Options(path=path))

    assert (refused.value.problems[0].code, refused.value.problems[0].at) == (code, str(path))


@pytest.mark.parametrize("content", [b"PAR1PAR1", b"PAR1" + b"\0" * 40 + b"PAR1", b"PAR1" + b"\xff" * 40 + b"PAR1"])
def test_marks_around_nonsense_are_refused_when_read(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    path.write_bytes(content)
    assert list(Parquet().externals(Parquet.Options(path=path)))

    assert problem_of(path).code == "damaged-file"


@pytest.mark.parametrize(
    ("make_column", "options"),  # made in the test, because each takes up to a gigabyte
    [
        pytest.param(lambda: pa.array(["x" * 1_000_000]).take(pa.array([0] * 1100)), {}, marks=pytest.mark.slow),
        (lambda: pa.array([["x" * 1_000_000]]).take(pa.array([0] * 1100)), {}),
        pytest.param(lambda: pa.array(["x" * 500_000_000]), {"use_dictionary": False}, marks=pytest.mark.slow),
    ],
    ids=["repeated text", "repeated list", "packed text"],
)
def test_a_small_file_does_not_take_much_memory(
    make_column: Callable[[], pa.Array], options: dict[str, Any], tmp_path: Path
) -> None:
    path = written(tmp_path / "x.parquet", {"a": make_column()}, compression="zstd", **options)
    before = resource.getrlimit(resource.RLIMIT_DATA)
    assert path.stat().st_size < 20_000
    problem = problem_of(path)
    assert problem.code == "too-large"
    assert problem.at == "data.parquet:1"
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_long_texts_of_an_honest_file_are_read(tmp_path: Path) -> None:
    texts = [random.Random(row).randbytes(100_000).hex() for row in range(300)]
    path = written(tmp_path / "x.parquet", {"a": texts}, compression="zstd")
    assert [row["a"] for row in read(path)] == texts
