"""The source `hub`: a dataset on the Hugging Face hub, as it is at a commit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from ftrun.api import rows
from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.rows import Row
from ftrun.api.sources import BadRow, HubFiles, InputFile
from ftrun_plugins.data.sources.readers import SUFFIXES, read_file, suffix_of

NAME = r"^[\w.-]+(/[\w.-]+)?$"


class HubDataset:
    """The rows of its JSON Lines, JSON, CSV and Parquet files. Read where pyarrow is: in the trainer's environment."""

    name: ClassVar[str] = "hub"
    environment: ClassVar[str] = "trainer"

    class Options(rows.Options):
        """The dataset, its revision, and which of its files; `split` takes those that are named as splits are."""

        repo: str = Field(pattern=NAME)
        """Name of the dataset on the hub, such as `owner/name`."""
        revision: str | None = Field(default=None, min_length=1)
        """Commit, tag or branch of the dataset. Planning resolves it to a commit. Default: `main`."""
        split: str | None = Field(default=None, pattern=r"^[\w.-]+$")
        """Name of a split. Only files with its name, or in a folder with its name, are read. Default: all files."""
        files: tuple[str, ...] | None = Field(default=None, min_length=1)
        """Glob patterns of the files to read, in place of `split`."""
        columns: tuple[str, ...] | None = Field(default=None, min_length=1)
        """Columns to read from Parquet files. Default: all."""
        gated: bool = False
        """True if the hub requires a token and an accepted licence for this dataset."""

    def externals(self, options: Options) -> Sequence[InputFile]:
        """The files at the commit that the revision names now. Raises `InvalidInput` where the hub cannot tell."""
        from ftrun_plugins.models.hub import resolve

        if options.files and options.split:
            raise InvalidInput(
                Problem(
                    "conflicting-keys",
                    "`split` and `files` both say which files are read",
                    "dataset.source",
                    "one of them",
                )
            )
        commit = resolve(options.repo, options.revision, "dataset")
        named = options.revision or "main"
        hub = HubFiles(options.repo, commit, patterns(options), options.gated, None if named == commit else named)
        return [InputFile(name=options.repo, hub=hub)]

    def rows(self, options: Options, files: Mapping[str, Path]) -> Iterator[Row | BadRow]:
        """The rows in the order of the files' names."""
        for folder in files.values():
            names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
            for name in names:
                if suffix_of(name) in SUFFIXES:
                    yield from read_file(folder / name, name, options.columns)


def patterns(options: HubDataset.Options) -> tuple[str, ...]:
    """Of the files that are downloaded: a split's are named for it, or lie in a folder that is."""
    if options.files:
        return options.files
    split = options.split or ""
    packed = ("", ".gz")
    places = [f"{above}{split}{end}" for above in ("", "*/") for end in ("", "[-./]*")] if split else ["*"]
    return tuple(f"{place}{suffix}{pack}" for place in places for suffix in SUFFIXES for pack in packed)
