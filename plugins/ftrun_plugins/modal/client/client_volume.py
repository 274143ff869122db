"""The Volume from the client's side: reads what runs left there, uploads what it lacks, downloads artifacts."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from ftrun.api.errors import InvalidInput, Problem
from ftrun.api.paths import MANIFEST, Store
from ftrun.api.stage_call import Ref, StageCall
from ftrun.store.artifacts import Manifest, StoredFile
from ftrun.utils.digests import sha256_of
from ftrun.utils.sizes import folder_size, human_size
from ftrun_plugins.modal.options import Options

AT_ONCE = 8  # requests
SMALL = 4_000_000  # bytes
ROOT = Store(Path("/"))  # paths on the Volume
FILES = ROOT.file("x").parent


class ClientVolume:
    """The store on the user's Volume."""

    def __init__(self, options: Options) -> None:
        self._options = options

    @cached_property
    def _volume(self) -> Any:
        import modal

        return modal.Volume.from_name(
            self._options.volume, create_if_missing=True, version=2, environment_name=self._options.environment
        )

    def read(self, path: Path) -> bytes | None:
        """A small file; None where there is none."""
        import modal

        try:
            return b"".join(self._volume.read_file(path.as_posix().lstrip("/")))
        except (FileNotFoundError, modal.exception.NotFoundError):
            return None

    def read_all(self, paths: Sequence[Path]) -> list[bytes | None]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(self.read, paths))

    def entries(self, path: Path, recursive: bool = False) -> list[Any]:
        """What is in a folder, as Modal lists it: path, type, mtime, size; nothing where there is no such folder."""
        import modal

        try:
            return list(self._volume.listdir(path.as_posix(), recursive=recursive))
        except (FileNotFoundError, modal.exception.NotFoundError):
            return []

    def remove(self, path: Path) -> None:
        """Removes a folder with all that is in it; nothing happens where there is none."""
        import modal

        with suppress(FileNotFoundError, modal.exception.NotFoundError):
            self._volume.remove_file(path.as_posix(), recursive=True)

    def manifests(self, calls: Iterable[StageCall]) -> dict[str, Manifest]:
        """Manifests by key, of the artifacts that are there."""
        refs = [call.ref for call in calls]
        found = self.read_all([ROOT.artifact(ref) / MANIFEST for ref in refs])
        return {
            ref.key: Manifest.model_validate_json(content)
            for ref, content in zip(refs, found, strict=True)
            if content is not None
        }

    def lacking(self, files: Mapping[str, Path]) -> dict[str, Path]:
        """Of files by digest, those that are not there yet."""
        there = {Path(entry.path).name for entry in self.entries(FILES)} if files else set()
        return {digest: path for digest, path in files.items() if _whole(digest, path) not in there}

    def is_small(self, files: Mapping[str, Path]) -> bool:
        """Whether an upload takes no longer than a container takes to start."""
        return sum(SMALL + 1 if path.is_dir() else path.stat().st_size for path in files.values()) <= SMALL

    def upload(self, files: Mapping[str, Path], progress: Callable[[str], None]) -> None:
        """Puts files and folders under their digests."""
        if not files:
            return
        size = sum(folder_size(path) if path.is_dir() else path.stat().st_size for path in files.values())
        progress(f"uploading {human_size(size)}")
        with self._volume.batch_upload(force=True) as batch:
            for digest, path in files.items():
                target = ROOT.file(digest).as_posix()
                batch.put_directory(path, target) if path.is_dir() else batch.put_file(path, target)
        # files of folders come one by one, so that all of them are there has to be said
        folders = [(FILES / _whole(digest, path)).as_posix() for digest, path in files.items() if path.is_dir()]
        if folders:
            with self._volume.batch_upload(force=True) as batch:
                for name in folders:
                    batch.put_file(io.BytesIO(b"whole"), name)

    def files(self, ref: Ref) -> tuple[StoredFile, ...]:
        """Raises `InvalidInput` where the artifact is not there."""
        content = self.read(ROOT.artifact(ref) / MANIFEST)
        if content is None:
            raise InvalidInput(Problem("missing-artifact", f"there is no {ref} on the Volume {self._options.volume}"))
        return Manifest.model_validate_json(content).files

    def push(self, ref: Ref, folder: Path, progress: Callable[[str], None]) -> None:
        """Copies an artifact there; it exists once its manifest does, so that one comes last."""
        target = ROOT.artifact(ref)
        if self.read(target / MANIFEST) is not None:
            return
        progress(f"uploading {human_size(folder_size(folder))} of {ref.stage}")
        files = Manifest.model_validate_json((folder / MANIFEST).read_bytes()).files
        for names in ([file.path for file in files], [MANIFEST]):
            with self._volume.batch_upload(force=True) as batch:
                for name in names:
                    batch.put_file(folder / name, (target / name).as_posix())

    def pull(self, ref: Ref, target: Path, progress: Callable[[float, float], None]) -> None:
        """Copies an artifact, each file checked by its digest; a folder appears whole or not at all."""
        files = self.files(ref)
        total, done = sum(file.size for file in files), 0
        aside = target.with_name(f".{target.name}.partial")
        for file in files:
            path = aside / file.path
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
                        f"{file.path} arrived damaged",
                        hint="pull again: what arrived whole is kept",
                    )
                )
            done += file.size
            progress(done, total)
        aside.rename(target)


def _whole(digest: str, path: Path) -> str:
    """The name of the file that is there once all of it is."""
    return f"{digest}.whole" if path.is_dir() else digest
