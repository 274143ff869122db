"""Client access to the Volume: read the files of runs, upload missing files, copy artifacts."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.manifest import Manifest, StoredFile
from ftrun.api.paths import MANIFEST, Store
from ftrun.api.stage_call import Ref, StageCall
from ftrun.api.stored_files import parse_stored
from ftrun.utils.digests import sha256_of
from ftrun.utils.sizes import folder_size, human_size
from ftrun_plugins.modal.options import Options

MAX_REQUESTS = 8  # at one time
SMALL_UPLOAD = 4_000_000  # bytes
ROOT = Store(Path("/"))  # paths on the Volume
FILES = ROOT.file("x").parent


class ClientVolume:
    """Store on the user's Volume."""

    def __init__(self, options: Options) -> None:
        self._options = options

    @cached_property
    def _volume(self) -> Any:
        import modal

        return modal.Volume.from_name(
            self._options.volume, create_if_missing=True, version=2, environment_name=self._options.environment
        )

    def read(self, path: Path) -> bytes | None:
        """Return the content of a small file, or None if it does not exist."""
        import modal

        try:
            return b"".join(self._volume.read_file(path.as_posix().lstrip("/")))
        except (FileNotFoundError, modal.exception.NotFoundError):
            return None

    def read_all(self, paths: Sequence[Path]) -> list[bytes | None]:
        with ThreadPoolExecutor(MAX_REQUESTS) as pool:
            return list(pool.map(self.read, paths))

    def entries(self, path: Path, recursive: bool = False) -> list[Any]:
        """List a folder as Modal does, with path, type, mtime and size. Return an empty list for a missing folder."""
        import modal

        try:
            return list(self._volume.listdir(path.as_posix(), recursive=recursive))
        except (FileNotFoundError, modal.exception.NotFoundError):
            return []

    def remove(self, path: Path) -> None:
        """Remove a folder with its content, if it exists."""
        import modal

        with suppress(FileNotFoundError, modal.exception.NotFoundError):
            self._volume.remove_file(path.as_posix(), recursive=True)

    def manifests(self, calls: Iterable[StageCall]) -> dict[str, Manifest]:
        """Return the manifests of the calls' existing artifacts, by key."""
        refs = [call.ref for call in calls]
        contents = self.read_all([ROOT.artifact(ref) / MANIFEST for ref in refs])
        return {
            ref.key: _parse_manifest(ref, content)
            for ref, content in zip(refs, contents, strict=True)
            if content is not None
        }

    def find_missing(self, files: Mapping[str, Path]) -> dict[str, Path]:
        """Return the files that the Volume lacks. Both mappings are from digests to paths."""
        existing = {Path(entry.path).name for entry in self.entries(FILES)} if files else set()
        return {digest: path for digest, path in files.items() if _completion_name(digest, path) not in existing}

    def is_small(self, files: Mapping[str, Path]) -> bool:
        """Return whether an upload takes no longer than the start of a container."""
        return (
            sum(SMALL_UPLOAD + 1 if path.is_dir() else path.stat().st_size for path in files.values()) <= SMALL_UPLOAD
        )

    def upload(self, files: Mapping[str, Path], progress: Callable[[str], None]) -> None:
        """Upload files and folders to the paths of their digests."""
        if not files:
            return
        size = sum(folder_size(path) if path.is_dir() else path.stat().st_size for path in files.values())
        progress(f"uploading {human_size(size)}")
        with self._volume.batch_upload(force=True) as batch:
            for digest, path in files.items():
                target = ROOT.file(digest).as_posix()
                batch.put_directory(path, target) if path.is_dir() else batch.put_file(path, target)
        # the files of a folder arrive one by one, so a marker file shows that all of them have arrived
        folders = [
            (FILES / _completion_name(digest, path)).as_posix() for digest, path in files.items() if path.is_dir()
        ]
        if folders:
            with self._volume.batch_upload(force=True) as batch:
                for name in folders:
                    batch.put_file(io.BytesIO(b"whole"), name)

    def files(self, ref: Ref) -> tuple[StoredFile, ...]:
        """Return the files of an artifact.

        Raises:
            InvalidInput: If the artifact is not on the Volume.
        """
        content = self.read(ROOT.artifact(ref) / MANIFEST)
        if content is None:
            raise InvalidInput(
                Problem("missing-artifact", f"the artifact `{ref}` is not on the Volume `{self._options.volume}`")
            )
        return _parse_manifest(ref, content).files

    def push(self, ref: Ref, folder: Path, progress: Callable[[str], None]) -> None:
        """Upload an artifact. Its manifest is last, because an artifact exists as soon as its manifest does."""
        target = ROOT.artifact(ref)
        if self.read(target / MANIFEST) is not None:
            return
        progress(f"uploading {human_size(folder_size(folder))} of {ref.stage}")
        files = _parse_manifest(ref, (folder / MANIFEST).read_bytes()).files
        for names in ([file.path for file in files], [MANIFEST]):
            with self._volume.batch_upload(force=True) as batch:
                for name in names:
                    batch.put_file(folder / name, (target / name).as_posix())

    def pull(self, ref: Ref, target: Path, progress: Callable[[float, float], None]) -> None:
        """Download an artifact into a folder, which appears only when it is complete.

        Raises:
            InvalidInput: If the artifact is not on the Volume, or a downloaded file does not have its digest.
        """
        files = self.files(ref)
        total, done = sum(file.size for file in files), 0
        partial = target.with_name(f".{target.name}.partial")
        for file in files:
            path = partial / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or path.stat().st_size != file.size:
                with path.open("wb") as content:
                    self._volume.read_file_into_fileobj(
                        (ROOT.artifact(ref) / file.path).as_posix().lstrip("/"), content
                    )
            if sha256_of(path) != file.sha256:
                path.unlink()
                raise InvalidInput(
                    Problem(
                        "damaged-artifact",
                        f"`{file.path}` was damaged during the download",
                        hint="run the command again, which keeps the intact files",
                    )
                )
            done += file.size
            progress(done, total)
        partial.rename(target)


def _completion_name(digest: str, path: Path) -> str:
    """Return the name of the file that exists only after a complete upload."""
    return f"{digest}.whole" if path.is_dir() else digest


def _parse_manifest(ref: Ref, content: bytes) -> Manifest:
    return parse_stored(content, Manifest, f"the manifest of `{ref}`", str(ROOT.artifact(ref) / MANIFEST))
