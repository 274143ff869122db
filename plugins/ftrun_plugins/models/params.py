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
    """A folder on the client's machine, with the digest of its content."""

    origin: Literal["folder"] = "folder"
    digest: str


class FileInPackage(Frozen):
    """A GGUF file in a wheel on PyPI."""

    package: str
    version: str
    sha256: str
    file: str


class PackageModel(FileInPackage):
    """The model in a GGUF file of a package."""

    origin: Literal["package"] = "package"
    dtype: Literal["bfloat16", "float16", "float32"]


class TinyModel(FileInPackage):
    """A random tiny model with the tokenizer in a GGUF file of a package."""

    origin: Literal["tiny"] = "tiny"


class UrlFile(Frozen):
    """A file, with the digest of its content. The URL is not part of the key."""

    origin: Literal["url"] = "url"
    sha256: str


class HubDatasetFiles(Frozen):
    """Files of a dataset of the hub at a commit."""

    origin: Literal["dataset"] = "dataset"
    repository: str
    commit: str
    patterns: tuple[str, ...]


class Params(Frozen):
    """The object to fetch."""

    what: Annotated[
        HubModel | FolderModel | PackageModel | TinyModel | UrlFile | HubDatasetFiles, Field(discriminator="origin")
    ]
