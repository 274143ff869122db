"""ftrun's own sources keep the contract that a third party's tests inherit."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pyarrow import Table
from pyarrow.parquet import write_table

from ftrun.api.sources import InputFile
from ftrun.plugins.manager import plugins
from ftrun.testing import SourceContract
from ftrun.utils.digests import sha256_of
from ftrun_plugins.data.sources.csv_source import Csv
from ftrun_plugins.data.sources.hub_source import HubDataset
from ftrun_plugins.data.sources.json_source import JsonArray
from ftrun_plugins.data.sources.jsonl_source import JsonLines
from ftrun_plugins.data.sources.parquet_source import Parquet
from ftrun_plugins.data.sources.python_docs_source import PythonDocsSource
from ftrun_plugins.data.sources.text_source import TextFiles
from ftrun_plugins.data.sources.url_source import Url

ROWS = [{"text": f"row {number}", "inner": {"list": [number, None, 0.5]}, "ä": "🙂"} for number in range(5)]


def write_lines(path: Path) -> Path:
    path.write_text("".join(json.dumps(row) + "\n\n" for row in ROWS))
    return path


class TestJsonLines(SourceContract):
    source = JsonLines
    count = len(ROWS)

    def prepare(self, folder: Path) -> Mapping[str, Any]:
        return {"path": str(write_lines(folder / "rows.jsonl"))}

    def absent(self, folder: Path) -> Mapping[str, Any]:
        return {"path": str(folder / "row.jsonl")}


class TestJsonArray(SourceContract):
    source = JsonArray
    count = len(ROWS)

    def prepare(self, folder: Path) -> Mapping[str, Any]:
        (folder / "rows.json").write_text(json.dumps({"n": 1, "rows": ROWS}))
        return {"path": str(folder / "rows.json"), "field": "rows"}

    def absent(self, folder: Path) -> Mapping[str, Any]:
        return {"path": str(folder / "row.json")}


class TestText(SourceContract):
    source = TextFiles
    count = 3

    def prepare(self, folder: Path) -> Mapping[str, Any]:
        (folder / "a.txt").write_text("A mill.\nIts sails.\n\nÄ river.\n")
        (folder / "b.md").write_text("# The end\n")
        return {"path": str(folder), "by": "paragraph"}

    def absent(self, folder: Path) -> Mapping[str, Any]:
        return {"path": str(folder / "c.txt")}


class TestCsv(SourceContract):
    source = Csv
    count = 3

    def prepare(self, folder: Path) -> Mapping[str, Any]:
        (folder / "a.csv").write_text('q;a\n1;2\n"x\ny";ä\n')
        (folder / "b.csv").write_text("q;a\n3;4\n")
        return {"path": str(folder / "*.csv"), "delimiter": ";"}

    def absent(self, folder: Path) -> Mapping[str, Any]:
        return {"path": str(folder / "*.tsv")}


class TestParquet(SourceContract):
    source = Parquet
    count = len(ROWS)

    def prepare(self, folder: Path) -> Mapping[str, Any]:
        write_table(Table.from_pylist(ROWS), folder / "rows.parquet")
        return {"path": str(folder)}

    def absent(self, folder: Path) -> Mapping[str, Any]:
        return {"path": str(folder / "row.parquet")}


class TestUrl(SourceContract):
    source = Url
    count = len(ROWS)

    def prepare(self, folder: Path) -> Mapping[str, Any]:
        file = write_lines(folder / "downloaded")
        return {"url": "https://example.org/data/my%20rows.jsonl?raw=1", "sha256": sha256_of(file)}

    def absent(self, folder: Path) -> None:
        return None

    def downloaded(self, external: InputFile, folder: Path) -> Path:
        return folder / "downloaded"


class TestHub(SourceContract):
    source = HubDataset
    count = 2 * len(ROWS)

    def prepare(self, folder: Path) -> Mapping[str, Any]:
        data = folder / "downloaded" / "data"
        data.mkdir(parents=True)
        write_table(Table.from_pylist(ROWS), data / "train-0.parquet")
        write_lines(data / "train-1.jsonl")
        return {"repo": "somebody/rows", "revision": "0123456789" * 4, "split": "train"}

    def absent(self, folder: Path) -> None:
        return None

    def downloaded(self, external: InputFile, folder: Path) -> Path:
        return folder / "downloaded"


PACKAGE = '''
"""A package for tests."""


class Store:
    """Keeps what it is given until the test is over, and gives it back to whoever asks for it by its name."""

    def put(self, name: str, value: int = 3) -> None:
        """Puts a value under a name, in place of the one that it may have had before, which is then lost."""


def opened(path: str) -> Store:
    """Opens the store that lies in a folder, and makes an empty one where there is none in it yet."""
'''


class TestPythonDocs(SourceContract):
    source = PythonDocsSource
    count = 8
    several_rows_at_a_place = True  # several wordings of each docstring

    @pytest.fixture(autouse=True)
    def _importable(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(tmp_path / "data")
        sys.path_importer_cache.clear()

    def prepare(self, folder: Path) -> Mapping[str, Any]:
        (folder / "contract_docs").mkdir()
        (folder / "contract_docs" / "__init__.py").write_text(PACKAGE)
        return {"package": "contract_docs"}

    def absent(self, folder: Path) -> Mapping[str, Any]:
        return {"package": "no_such_package_at_all"}


def test_each_registered_source_is_tested_here() -> None:
    tested = {contract.source for contract in SourceContract.__subclasses__()}
    own = [part.cls for part in plugins().of_kind("source").values() if part.distribution == "ftrun"]
    assert [cls.__name__ for cls in own if cls not in tested] == []
