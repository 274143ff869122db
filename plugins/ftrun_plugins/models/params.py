"""Parameters of the stage `fetch`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ftrun.api.recipe import Frozen


class HubModel(Frozen):
    """A model of the hub at a commit."""

    origin: Literal["hub"] = "hub"
    repository: str
    commit: str


class FolderModel(Frozen):
    """A folder on the client's machine, by its content."""

    origin: Literal["folder"] = "folder"
    digest: str


class FileInPackage(Frozen):
    """A GGUF file in a wheel on PyPI."""

    package: str
    version: str
    sha256: str
    file: str


class PackageModel(FileInPackage):
    """The model in such a file."""

    origin: Literal["package"] = "package"
    dtype: Literal["bfloat16", "float16", "float32"]


class TinyModel(FileInPackage):
    """A random tiny model with the tokenizer in such a file."""

    origin: Literal["tiny"] = "tiny"


class UrlFile(Frozen):
    """One file, by its content: where it comes from is not in the key."""

    origin: Literal["url"] = "url"
    sha256: str


class HubDatasetFiles(Frozen):
    """Files of a dataset of the hub at a commit."""

    origin: Literal["dataset"] = "dataset"
    repository: str
    commit: str
    patterns: tuple[str, ...]


class Params(Frozen):
    """What is fetched."""

    what: Annotated[
        HubModel | FolderModel | PackageModel | TinyModel | UrlFile | HubDatasetFiles, Field(discriminator="origin")
    ]
