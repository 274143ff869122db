"""What every source has to keep to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, ClassVar

import orjson
import pytest

from ftrun.api.errors import InvalidInput
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow, InputFile
from ftrun.planning.normalize import normalize
from ftrun.testing.component import ComponentContract, assert_one_line

# In place of what a file should hold.
CONTENTS = (
    b"", b"\n\n", b"\x00" * 10, b"\xff\xfea\x00", b"\xff" * 50, b"{", b"[1, 2", b"null", b'{"a": 1}\n{"a":',
    b"{}\n[]\n7\n", b"[" * 100_000, b'{"a":' * 100_000, b"a,b\n1\n2,3,4\n", b'"' * 1001, b"\x1f\x8b\x08\x00",
    b"PAR1PAR1", b"PK\x03\x04", b"\x80\x04\x95", b"\r" * 100, b'{"a": 1e999}\n', b'{"a": "\\ud800"}\n',
)  # fmt: skip


class SourceContract(ComponentContract):
    """Inherit it as `TestX`, set `source` and `count`, and say by `prepare` and `absent` what it reads.

    Args:
        source: The class. What its `environment` has and the client has not is to be installed where the tests run.
        count: Rows that are in what `prepare` writes.
        several_rows_at_a_place: Where one line gives several rows, e.g. several wordings of it.
    """

    kind = "source"
    source: ClassVar[type[Any]]
    count: ClassVar[int]
    several_rows_at_a_place: ClassVar[bool] = False

    def prepare(self, folder: Path) -> Mapping[str, Any]:
        """Writes what the source reads into an empty folder; returns the options that name it."""
        raise NotImplementedError

    def absent(self, folder: Path) -> Mapping[str, Any] | None:
        """Options that name something which is not there; None where all is downloaded."""
        raise NotImplementedError

    def downloaded(self, external: InputFile, folder: Path) -> Path:
        """Where `prepare` has put the content of a download: a file, or the folder of one from the hub."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _prepared(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = tmp_path / "data"
        self.folder.mkdir()
        monkeypatch.chdir(self.folder)
        self.given = self.prepare(self.folder)

    def made_options(self) -> Any:
        return self.source.Options.model_validate(dict(self.given))

    def externals(self) -> Sequence[InputFile]:
        found: Sequence[InputFile] = self.source().externals(self.made_options())
        return found

    def files(self) -> dict[str, Path]:
        return {external.name: external.path or self.downloaded(external, self.folder) for external in self.externals()}

    def portable_options(self) -> Any:
        return self.source.Options.model_validate(normalize(self.made_options(), self.externals()))

    def rows(self, files: Mapping[str, Path]) -> Iterator[Row | BadRow]:
        """As the stage `format` asks for them: by options without folders and addresses."""
        rows: Iterator[Row | BadRow] = self.source().rows(self.portable_options(), files)
        return rows

    def test_what_it_reads_is_named_and_known_by_its_content(self) -> None:
        externals = self.externals()
        names = [external.name for external in externals]
        assert len(set(names)) == len(names), f"two of what it reads share a name: {names}"
        for external in externals:
            path = PurePath(external.name)
            assert external.name.strip(), "something that it reads has no name"
            assert not path.is_absolute(), f"{external.name} is a place on this machine, not a name"
            assert ".." not in path.parts, f"{external.name} is a place, not a name"
            if external.hub is not None:
                assert len(external.hub.commit) == 40, f"{external.name} is not known by a whole commit"
            elif external.path is not None:
                assert external.path.is_file(), f"{external.path} is no file"
            else:
                assert external.url, f"{external.name} is neither here nor to be downloaded"
                assert external.sha256, f"the download {external.name} has no sha256"
        assert list(self.externals()) == list(externals), "it reads something else the second time"

    def test_every_row_has_its_place(self) -> None:
        rows = list(self.rows(self.files()))
        assert len(rows) == self.count, f"{len(rows)} rows, not {self.count}"
        for row in rows:
            assert isinstance(row, Row), f"{row} of data that is right"
            assert row.line >= 1, f"lines count from 1: {row.place}"
            assert row.file, "a row without a file"
            assert not PurePath(row.file).is_absolute(), f"{row.place} says where the file lies, not how it is named"
            assert all(isinstance(column, str) for column in row.values)
            orjson.dumps(dict(row.values))
        places = [row.place for row in rows if isinstance(row, Row)]
        assert len(set(places)) == len(places) or self.several_rows_at_a_place, "two rows share a place"

    def test_the_same_rows_come_again(self) -> None:
        files = self.files()
        assert list(self.rows(files)) == list(self.rows(files))

    def test_rows_come_one_by_one(self) -> None:
        rows = self.rows(self.files())
        assert iter(rows) is rows, "`rows` has to be an iterator: a list of all rows need not fit into memory"

    def test_it_reads_nothing_but_its_files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """On another machine they lie elsewhere, under other names, and nothing lies beside them."""
        files = self.files()
        before = list(self.rows(files))
        moved = {name: tmp_path / "elsewhere" / f"{number:08x}" for number, name in enumerate(files)}
        (tmp_path / "elsewhere").mkdir()
        options = self.portable_options()
        for name, path in files.items():
            _copy(path, moved[name])
        monkeypatch.chdir(tmp_path / "elsewhere")
        self.folder.rename(tmp_path / "gone")
        assert list(self.source().rows(options, moved)) == before

    def test_what_is_not_there_is_refused_before_a_run(self) -> None:
        options = self.absent(self.folder)
        if options is None:
            assert all(external.path is None for external in self.externals())
            return
        with pytest.raises(InvalidInput) as refused:
            self.source().externals(self.source.Options.model_validate(dict(options)))
        for problem in refused.value.problems:
            assert_one_line(problem.what, "the problem")

    @pytest.mark.parametrize("content", CONTENTS, ids=lambda content: repr(content[:12]))
    def test_any_content_is_rows_or_told(self, content: bytes, tmp_path: Path) -> None:
        """Damaged data is told row by row, or refused as a whole: it never ends in an error of Python's."""
        files = self.files()
        junk = tmp_path / "junk"
        for name in list(files)[:3]:
            _copy(files[name], junk)
            first = min(path for path in junk.rglob("*") if path.is_file()) if junk.is_dir() else junk
            first.write_bytes(content)
            try:
                found = list(self.rows({**files, name: junk}))
            except InvalidInput as refused:
                for problem in refused.problems:
                    assert_one_line(problem.what, "the problem")
                continue
            for row in found:
                assert row.line >= 1
                if isinstance(row, BadRow):
                    assert_one_line(row.reason, "the reason")
                    assert len(row.raw) < 2_000, "what stands there is to be shortened"


def _copy(path: Path, target: Path) -> None:
    """A file, or the folder that a download from the hub is."""
    if path.is_dir():
        shutil.copytree(path, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(path, target)
