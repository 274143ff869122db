"""The source `hub`: a dataset on the Hugging Face hub, at a commit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from ftrun.api import rows
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow, HubFiles, InputFile
from ftrun_plugins.data.sources.open_data import PACKED
from ftrun_plugins.data.sources.readers import SUFFIXES, read_file, suffix_of
from ftrun_plugins.data.sources.split_slice import SPLIT, SplitSlice
from ftrun_plugins.data.sources.text_encoding import UTF8, Encoding

NAME = r"^[\w.-]+(/[\w.-]+)?$"


class HubDataset:
    """Rows of a dataset on the Hugging Face hub, from its JSON Lines, JSON, CSV and Parquet files.

    They are read in the environment `trainer`, because it has pyarrow.
    """

    name: ClassVar[str] = "hub"
    environment: ClassVar[str] = "trainer"

    class Options(rows.Options):
        """Dataset, revision and files. `split` selects the files that have the name of the split."""

        repo: str = Field(pattern=NAME)
        """Name of the dataset on the hub, such as `owner/name`."""
        revision: str | None = Field(default=None, min_length=1)
        """Commit, tag or branch of the dataset. Planning resolves it to a commit. Default: `main`."""
        subset: str | None = Field(default=None, pattern=r"^[\w.-]+$")
        """Name of a subset. Only files in the folder with its name are read. Default: all files."""
        split: str | None = Field(default=None, pattern=SPLIT)
        """Split such as `train` or `train[:10%]`. Only files or folders with its name are read. Default: all files."""
        files: tuple[str, ...] | None = Field(default=None, min_length=1)
        """Glob patterns of the files to read, in place of `split`."""
        columns: tuple[str, ...] | None = Field(default=None, min_length=1)
        """Columns to read from Parquet files. Default: all."""
        encoding: Encoding = UTF8
        """Encoding of the files that are not Parquet: a name in Python, such as `utf-16` or `cp1252`."""
        gated: bool = False
        """True if the hub requires a token and an accepted licence for this dataset."""

    def externals(self, options: Options) -> Sequence[InputFile]:
        """Return the files at the commit that the revision has now.

        Raises:
            InvalidInput: If the hub cannot resolve the revision, or if `split` and `files` are both set.
        """
        from ftrun_plugins.models.hub import resolve

        if options.files and (options.split or options.subset):
            raise InvalidInput(
                Problem(
                    "conflicting-keys",
                    f"`{'split' if options.split else 'subset'}` and `files` are both set",
                    "dataset.source",
                    "one of them",
                )
            )
        commit = resolve(options.repo, options.revision, "dataset")
        revision = options.revision or "main"
        hub = HubFiles(options.repo, commit, patterns(options), options.gated, None if revision == commit else revision)
        return [InputFile(name=options.repo, hub=hub)]

    def rows(self, options: Options, files: Mapping[str, Path]) -> Iterator[Row | BadRow]:
        """Yield the rows in the order of file names."""
        if options.split is None:
            return _read(options, files)
        return SplitSlice.parse(options.split).apply(lambda: _read(options, files))


def _read(options: HubDataset.Options, files: Mapping[str, Path]) -> Iterator[Row | BadRow]:
    for folder in files.values():
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        for name in names:
            if suffix_of(name) in SUFFIXES:
                yield from read_file(folder / name, name, options.columns, options.encoding)


def patterns(options: HubDataset.Options) -> tuple[str, ...]:
    """Return the patterns of the files to download. Files of a split, or their folder, have the name of the split."""
    if options.files:
        return options.files
    split = SplitSlice.parse(options.split).name if options.split else ""
    subset = f"{options.subset}/" if options.subset else ""
    endings = ("", *PACKED)
    ends = ("", "[-./]*") if split else ("*",)
    places = [f"{subset}{parent}{split}{end}" for parent in (("", "*/") if split else ("",)) for end in ends]
    return tuple(f"{place}{suffix}{ending}" for place in places for suffix in SUFFIXES for ending in endings)
