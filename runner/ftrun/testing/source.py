"""Contract of sources."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, ClassVar

import orjson
import pytest

from ftrun.api.errors import InvalidInput
from ftrun.api.normalize import normalize
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow, InputFile
from ftrun.testing.component import ComponentContract, assert_one_line

# Invalid contents of files.
CONTENTS = (
    b"", b"\n\n", b"\x00" * 10, b"\xff\xfea\x00", b"\xff" * 50, b"{", b"[1, 2", b"null", b'{"a": 1}\n{"a":',
    b"{}\n[]\n7\n", b"[" * 100_000, b'{"a":' * 100_000, b"a,b\n1\n2,3,4\n", b'"' * 1001, b"\x1f\x8b\x08\x00",
    b"PAR1PAR1", b"PK\x03\x04", b"\x80\x04\x95", b"\r" * 100, b'{"a": 1e999}\n', b'{"a": "\\ud800"}\n',
)  # fmt: skip


class SourceContract(ComponentContract):
    """Contract tests of a source. Inherit as `TestX`, set `source` and `count`, and define `prepare` and `absent`.

    Args:
        source: The class under test. The packages of its `environment` that it imports must be installed for the tests.
        count: Number of rows in the data that `prepare` writes.
        several_rows_at_a_place: Set it to True if one line gives several rows, e.g. in several wordings.
    """

    kind = "source"
    source: ClassVar[type[Any]]
    count: ClassVar[int]
    several_rows_at_a_place: ClassVar[bool] = False

    def prepare(self, folder: Path) -> Mapping[str, Any]:
        """Write data for the source into an empty folder, and return the options that name it."""
        raise NotImplementedError

    def absent(self, folder: Path) -> Mapping[str, Any] | None:
        """Return options that name data that does not exist, or None if all data is downloaded."""
        raise NotImplementedError

    def downloaded(self, external: InputFile, folder: Path) -> Path:
        """Return the path at which `prepare` wrote a download: a file, or a folder for a download from the hub."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _prepare_data(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = tmp_path / "data"
        self.folder.mkdir()
        monkeypatch.chdir(self.folder)
        self.values = self.prepare(self.folder)

    def make_options(self) -> Any:
        return self.source.Options.model_validate(dict(self.values))

    def externals(self) -> Sequence[InputFile]:
        externals: Sequence[InputFile] = self.source().externals(self.make_options())
        return externals

    def files(self) -> dict[str, Path]:
        return {external.name: external.path or self.downloaded(external, self.folder) for external in self.externals()}

    def portable_options(self) -> Any:
        return self.source.Options.model_validate(normalize(self.make_options(), self.externals()))

    def rows(self, files: Mapping[str, Path]) -> Iterator[Row | BadRow]:
        """Read the rows as the stage `format` does: with options that contain no folders and no URLs."""
        rows: Iterator[Row | BadRow] = self.source().rows(self.portable_options(), files)
        return rows

    def test_its_inputs_have_names_and_digests(self) -> None:
        externals = self.externals()
        names = [external.name for external in externals]
        assert len(set(names)) == len(names), f"two inputs have the same name: {names}"
        for external in externals:
            path = PurePath(external.name)
            assert external.name.strip(), "the name of an input is empty"
            assert not path.is_absolute(), f"{external.name} is an absolute path, not a name"
            assert ".." not in path.parts, f"{external.name} contains `..`, so it is a path and not a name"
            if external.hub is not None:
                assert len(external.hub.commit) == 40, f"{external.name} has no full commit"
            elif external.path is not None:
                assert external.path.is_file(), f"{external.path} is not a file"
            else:
                assert external.url, f"{external.name} has neither a path nor a URL"
                assert external.sha256, f"the download {external.name} has no sha256"
        assert list(self.externals()) == list(externals), "the inputs change between two calls"

    def test_every_row_has_its_place(self) -> None:
        rows = list(self.rows(self.files()))
        assert len(rows) == self.count, f"it yields {len(rows)} rows, expected {self.count}"
        for row in rows:
            assert isinstance(row, Row), f"it yields {row} for valid data"
            assert row.line >= 1, f"the first line has the number 1: {row.place}"
            assert row.file, "a row has no file"
            assert not PurePath(row.file).is_absolute(), f"{row.place} contains the path of the file, not its name"
            assert all(isinstance(column, str) for column in row.values)
            orjson.dumps(dict(row.values))
        places = [row.place for row in rows if isinstance(row, Row)]
        assert len(set(places)) == len(places) or self.several_rows_at_a_place, "two rows have the same place"

    def test_a_second_read_gives_the_same_rows(self) -> None:
        files = self.files()
        assert list(self.rows(files)) == list(self.rows(files))

    def test_rows_are_an_iterator(self) -> None:
        rows = self.rows(self.files())
        assert iter(rows) is rows, "`rows` must return an iterator, because a list of all rows may not fit into memory"

    def test_it_reads_nothing_but_its_files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """On another machine, the files are in other folders, under other names, without other files beside them."""
        files = self.files()
        before = list(self.rows(files))
        moved = {name: tmp_path / "moved" / f"{number:08x}" for number, name in enumerate(files)}
        (tmp_path / "moved").mkdir()
        options = self.portable_options()
        for name, path in files.items():
            _copy(path, moved[name])
        monkeypatch.chdir(tmp_path / "moved")
        self.folder.rename(tmp_path / "renamed")
        assert list(self.source().rows(options, moved)) == before

    def test_absent_data_is_an_error_before_a_run(self) -> None:
        options = self.absent(self.folder)
        if options is None:
            assert all(external.path is None for external in self.externals())
            return
        with pytest.raises(InvalidInput) as caught:
            self.source().externals(self.source.Options.model_validate(dict(options)))
        for problem in caught.value.problems:
            assert_one_line(problem.what, "the problem")

    @pytest.mark.parametrize("content", CONTENTS, ids=lambda content: repr(content[:12]))
    def test_any_content_gives_rows_or_an_error(self, content: bytes, tmp_path: Path) -> None:
        """Damaged data must give bad rows or an InvalidInput error, never another exception."""
        files = self.files()
        junk = tmp_path / "junk"
        for name in list(files)[:3]:
            _copy(files[name], junk)
            first = min(path for path in junk.rglob("*") if path.is_file()) if junk.is_dir() else junk
            first.write_bytes(content)
            try:
                rows = list(self.rows({**files, name: junk}))
            except InvalidInput as error:
                for problem in error.problems:
                    assert_one_line(problem.what, "the problem")
                continue
            for row in rows:
                assert row.line >= 1
                if isinstance(row, BadRow):
                    assert_one_line(row.reason, "the reason")
                    assert len(row.raw) < 2_000, "the raw text of a bad row must be shortened"


def _copy(path: Path, target: Path) -> None:
    """Copy a file, or the folder of a download from the hub."""
    if path.is_dir():
        shutil.copytree(path, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(path, target)
