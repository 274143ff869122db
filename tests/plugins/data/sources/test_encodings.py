"""Files in other encodings than UTF-8: read by name, and reported with the likely encoding."""

# ruff: noqa: RUF001 (texts in many scripts)

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import subprocess
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftrun.api.errors import InvalidInput
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow
from ftrun.recipe.validation import validate
from ftrun.utils.encoding_guess import guess_encoding
from ftrun_plugins.data.sources import json_scanner, open_data
from ftrun_plugins.data.sources.csv_source import Csv
from ftrun_plugins.data.sources.hub_source import HubDataset
from ftrun_plugins.data.sources.json_source import JsonArray
from ftrun_plugins.data.sources.jsonl_source import JsonLines
from ftrun_plugins.data.sources.text_source import TextFiles
from ftrun_plugins.data.sources.url_source import Url

FILE = "rows"
TEXTS = {
    "cp1252": "Où est l’hôtel ? Il coûte 12,50 €",
    "latin-1": "Grüße aus Köln, bis übermorgen",
    "cp1250": "Gdzie jest najbliższy dworzec? Proszę o pomoc.",
    "cp1251": "Где находится ближайшая станция?",
    "koi8-r": "Где находится ближайшая станция?",
    "cp1253": "Πού είναι ο σταθμός;",
    "cp1254": "En yakın istasyon nerede? Teşekkür ederim.",
    "shift_jis": "駅はどこにありますか。",
    "euc_jp": "駅はどこにありますか。",
    "gb18030": "最近的车站在哪里？",
    "big5": "最近的車站在哪裡？",
    "cp949": "가장 가까운 역은 어디에 있습니까?",
    "utf-16": "Where is the station? 駅 🙂",
    "utf-16-le": "Where is the station? 駅 🙂",
    "utf-32": "Where is the station? 駅 🙂",
}
texts = pytest.mark.parametrize(("encoding", "text"), TEXTS.items())


def as_csv(rows: list[dict[str, str]]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, ["q", "a"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def as_lines(rows: list[dict[str, str]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


# Source, the text of a file with the rows, and the place of the first row.
SOURCES: Mapping[str, tuple[Any, Callable[[list[dict[str, str]]], str], int]] = {
    "rows.jsonl": (JsonLines, as_lines, 1),
    "rows.json": (JsonArray, lambda rows: json.dumps(rows, ensure_ascii=False, indent=1), 1),
    "rows.csv": (Csv, as_csv, 2),
}


def read(source: Any, path: Path, **options: str) -> Iterator[Row | BadRow]:
    chosen = source.Options(path=path, **options)
    yield from source().rows(chosen, {file.name: file.path for file in source().externals(chosen)})


@texts
@pytest.mark.parametrize("name", SOURCES)
def test_a_file_is_read_in_its_encoding(name: str, encoding: str, text: str, tmp_path: Path) -> None:
    source, write, first = SOURCES[name]
    rows = [{"q": f"{text} {number}", "a": "yes"} for number in range(3)]
    path = tmp_path / name
    path.write_bytes(write(rows).encode(encoding))
    found = list(read(source, path, encoding=encoding))
    assert found == [Row(row, name, line) for line, row in enumerate(rows, start=first)]


@texts
def test_plain_text_is_read_in_its_encoding(encoding: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(f"{text}\r\n\r\n{text}\r\n".encode(encoding))
    found = list(read(TextFiles, path, encoding=encoding, by="paragraph"))
    assert found == [Row({"text": text}, "a.txt", 1), Row({"text": text}, "a.txt", 3)]


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_a_compressed_file_in_another_encoding(suffix: str, pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / f"rows.jsonl{suffix}"
    path.write_bytes(pack('{"a": "é"}\n'.encode("utf-16")))
    assert list(read(JsonLines, path, encoding="utf-16")) == [Row({"a": "é"}, path.name, 1)]


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
def test_the_rows_do_not_depend_on_the_encoding(tmp_path_factory: pytest.TempPathFactory, values: list[str]) -> None:
    content = as_lines([{"a": value} for value in values])
    try:
        content.encode()
    except UnicodeEncodeError:
        return
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    path.write_text(content, "utf-8", newline="\n")
    expected = list(read(JsonLines, path))
    for encoding in ("utf-16", "utf-32-be", "gb18030", "utf-7"):
        path.write_bytes(content.encode(encoding))
        assert list(read(JsonLines, path, encoding=encoding)) == expected


def test_a_byte_that_is_no_text_is_one_bad_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    good = '{"a": "駅"}\n'.encode("shift_jis")
    path.write_bytes(good + '{"b": "駅'.encode("shift_jis") + b'\xff"}\n' + good)
    first, bad, last = read(JsonLines, path, encoding="shift_jis")
    assert isinstance(first, Row)
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.code) == (2, "invalid-encoding")
    assert "0xff after 8 characters" in bad.reason
    assert isinstance(last, Row)


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(
    ("encoding", "likely"), [("cp1252", "cp1252"), ("shift_jis", "cp932"), ("gb18030", "gb18030"), ("koi8-r", "koi8-r")]
)
def test_the_likely_encoding_is_named_once(name: str, encoding: str, likely: str, tmp_path: Path) -> None:
    source, write, first = SOURCES[name]
    path = tmp_path / name
    rows = [{"q": TEXTS[encoding], "a": "yes"}] * 3
    path.write_bytes(write(rows).encode(encoding))
    bad = list(read(source, path))
    assert all(isinstance(row, BadRow) and row.code == "invalid-encoding" for row in bad)
    assert [row.line for row in bad] == list(range(first, first + 3))
    hints = [row.hint for row in bad if isinstance(row, BadRow)]
    assert f"dataset.source.encoding={likely}" in str(hints[0])
    assert hints[1:] == [None, None]
    stored = list(read(source, path, encoding=likely))
    assert stored == [Row(row, name, line) for line, row in enumerate(rows, start=first)]


def test_the_command_converts_the_file(tmp_path: Path) -> None:
    path = tmp_path / "my rows.jsonl.gz"
    path.write_bytes(gzip.compress(as_lines([{"a": TEXTS["koi8-r"]}]).encode("koi8-r")))
    (bad,) = read(JsonLines, path)
    assert isinstance(bad, BadRow)
    command = str(bad.hint).partition("convert it: ")[2]
    subprocess.run(["/bin/sh", "-c", command], check=True, cwd=tmp_path)
    (row,) = read(JsonLines, tmp_path / "my rows.utf-8.jsonl")
    assert isinstance(row, Row)
    assert row.values == {"a": TEXTS["koi8-r"]}


def test_a_bad_line_among_good_ones_is_not_the_encoding_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    good = '{"a": "café"}\n'
    path.write_bytes((good * 3).encode() + good.encode("cp1252"))
    *_, bad = read(JsonLines, path)
    assert isinstance(bad, BadRow)
    assert "cp1252" in str(bad.hint)
    assert "encoding=" not in str(bad.hint)


@pytest.mark.parametrize("source", [JsonLines, JsonArray, Csv, TextFiles])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_wide_encoding_is_named_before_the_rows(source: Any, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_bytes('[{"a": "hello"}]'.encode(encoding))
    with pytest.raises(InvalidInput) as error:
        source().externals(source.Options(path=path))
    (problem,) = error.value.problems
    assert (problem.code, problem.at) == ("invalid-encoding", str(path))
    assert f"dataset.source.encoding={encoding}," in str(problem.hint)
    assert f"iconv -f {encoding.upper()} -t UTF-8" in str(problem.hint)


@pytest.mark.parametrize(("content", "encoding"), [("utf-8", "utf-16"), ("cp1252", "utf-32"), ("utf-16", "utf-32")])
def test_a_file_that_cannot_be_in_the_encoding(content: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes('{"a": "é"}\n'.encode(content))
    with pytest.raises(InvalidInput) as error:
        JsonLines().externals(JsonLines.Options(path=path, encoding=encoding))
    assert error.value.problems[0].code == "invalid-encoding"


def test_columns_of_messages_count_characters(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    for encoding in ("utf-8", "utf-16"):
        path.write_bytes('[{"a": "駅é"} x]'.encode(encoding))
        with pytest.raises(InvalidInput) as error:
            list(read(JsonArray, path, encoding=encoding))
        assert "line 1, column 14" in error.value.problems[0].what


@pytest.mark.parametrize("source", [JsonLines, JsonArray, Csv, TextFiles])
def test_memory_does_not_grow_with_the_file(source: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (open_data, json_scanner):
        monkeypatch.setattr(module, "BLOCK", 1 << 14)
    peaks = []
    for rows in (3000, 15_000):
        path = tmp_path / "rows"
        lines = ('{"a": "' + "é" * 50 + '"}' for _ in range(rows))
        content = "[" + ",\n".join(lines) + "]" if source is JsonArray else "\n".join(lines)
        path.write_bytes(content.encode("utf-16"))
        del content
        tracemalloc.start()
        for _ in read(source, path, encoding="utf-16"):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


@pytest.mark.parametrize("source", [JsonLines, JsonArray, Csv, TextFiles, Url, HubDataset])
@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("utf-61", "utf-16"),
        ("cp1225", "cp1252"),
        ("latin1-1", "latin1"),
        ("base64", None),
        ("idna", None),
        ("a\0", None),
    ],
)
def test_an_unknown_encoding(source: Any, name: str, nearest: str | None) -> None:
    values = {"path": "x", "repo": "a/b", "url": "http://x/y", "sha256": "0" * 64, "encoding": name}
    known = {key: value for key, value in values.items() if key in source.Options.model_fields}
    issues = validate(source.Options, known, ("dataset", "source"))
    assert isinstance(issues, list)
    assert [(issue.code, issue.path) for issue in issues] == [("invalid-value", ("dataset", "source", "encoding"))]
    if nearest:
        assert nearest.replace("-", "_") in {name.replace("-", "_") for name in issues[0].did_you_mean}


def test_aliases_of_an_encoding_have_one_name() -> None:
    def names(*aliases: str) -> set[str]:
        return {JsonLines.Options(path=Path("x"), encoding=alias).encoding for alias in aliases}

    assert names("utf8", "UTF-8", "utf-8-sig", "U8") == {"utf-8"}
    assert names("Windows-1252", "cp1252", "1252") == {"cp1252"}
    assert names("SJIS", "shift-jis") == {"shift_jis"}


@texts
def test_guesses(encoding: str, text: str) -> None:
    sample = f'{{"question": "What does it say?", "answer": "{text}"}}\n'.encode(encoding)
    if not encoding.startswith(("utf-16", "utf-32")) or not sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        guess = guess_encoding(sample)
        assert guess is not None
        assert sample.decode(guess) == sample.decode(encoding)


def test_no_guess_for_binary_data() -> None:
    assert guess_encoding(bytes(range(128, 256)) * 20) is None
