"""Compressed files: read as they are, and refused if they are cut, changed or too large."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ftrun.api.errors import InvalidInput
from ftrun.api.rows import Row
from ftrun_plugins.data.sources import open_data as module
from ftrun_plugins.data.sources.jsonl_reader import read_rows
from ftrun_plugins.data.sources.local_files import local_files
from ftrun_plugins.data.sources.open_data import open_data
from ftrun_plugins.data.sources.readers import read_file

FILE = "data.jsonl"
PACK: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
}
ROWS = b"".join(b'{"text": "row %d"}\n' % number for number in range(5000))
compressions = pytest.mark.parametrize("name", PACK)


def unpacked(path: Path) -> bytes:
    with open_data(path, FILE) as file:
        return file.read()


@compressions
def test_a_compressed_file_is_read(name: str, data: Callable[[bytes], Path]) -> None:
    rows = list(read_rows(data(PACK[name](ROWS)), FILE))
    assert len(rows) == 5000
    assert rows[-1] == Row({"text": "row 4999"}, FILE, 5000)


@compressions
@given(parts=st.lists(st.binary(max_size=100), min_size=1, max_size=4))
def test_several_streams_in_one_file(name: str, parts: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("packed") / FILE
    path.write_bytes(b"".join(map(PACK[name], parts)))
    assert unpacked(path) == b"".join(parts)


@compressions
@pytest.mark.parametrize("share", [0.2, 0.5, 0.999])
def test_a_file_that_is_cut_is_refused(name: str, share: float, data: Callable[[bytes], Path]) -> None:
    packed = PACK[name](ROWS)
    with pytest.raises(InvalidInput) as error:
        unpacked(data(packed[: int(len(packed) * share)]))
    (problem,) = error.value.problems
    assert (problem.code, problem.at) == ("damaged-file", FILE)
    assert name in problem.what


@compressions
def test_a_changed_byte_is_refused(name: str, data: Callable[[bytes], Path]) -> None:
    packed = bytearray(PACK[name](ROWS))
    packed[len(packed) // 2] ^= 0xFF
    path = data(bytes(packed))
    with pytest.raises(InvalidInput) as error:
        unpacked(path)
    assert error.value.problems[0].code == "damaged-file"


@compressions
def test_a_bomb_is_refused(name: str, data: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FREE", 1_000_000)
    path = data(PACK[name](b"x" * 20_000_000))
    with pytest.raises(InvalidInput) as error:
        unpacked(path)
    assert error.value.problems[0].code == "too-large"


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".zst"])
def test_names_of_compressed_files(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows.csv{suffix}"
    path.write_bytes(dict(zip((".gz", ".bz2", ".zst"), PACK.values(), strict=True))[suffix](b"a,b\n1,2\n"))
    assert [file.name for file in local_files(tmp_path, (".csv",), "a CSV file")] == [path.name]
    assert list(read_file(path, path.name)) == [Row({"a": "1", "b": "2"}, path.name, 2)]
