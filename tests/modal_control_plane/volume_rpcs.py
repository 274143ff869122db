"""Volumes as clients and containers ask for them."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from .content import Content
from .server import calling, rpc
from .state import ANONYMOUS, CREATING, Container, State, not_found
from .volumes import Checkout, Volume
from .watchdog import marked

BLOCK = 8 << 20  # bytes of a file that travel together


class Volumes:
    def __init__(self, state: State, content: Content, folder: Path) -> None:
        self._state, self._content, self._folder = state, content, folder
        self._aside = folder.parent / "aside"
        self._aside.mkdir(parents=True, exist_ok=True)
        self.by_id: dict[str, Volume] = {}
        self._by_name: dict[tuple[str, str], str] = {}

    def named(self, name: str, environment: str = "main") -> Volume:
        return self.by_id[self._by_name[environment, name]]

    def _volume(self, volume_id: str) -> Volume:
        if volume_id not in self.by_id:
            raise not_found(f"Volume {volume_id!r}")
        return self.by_id[volume_id]

    @rpc("VolumeGetOrCreate")
    async def get_or_create(self, request: pb.VolumeGetOrCreateRequest) -> pb.VolumeGetOrCreateResponse:
        kind, key = request.object_creation_type, (request.environment_name or "main", request.deployment_name)
        volume_id = "" if kind in ANONYMOUS else self._by_name.get(key, "")
        if volume_id and kind == pb.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS:
            raise GRPCError(Status.ALREADY_EXISTS, f"Volume {key[1]!r} already exists")
        if not volume_id:
            if kind not in ANONYMOUS + CREATING:
                raise not_found(f"Volume {key[1]!r}")
            if request.version == pb.VOLUME_FS_VERSION_V1:
                raise GRPCError(Status.UNIMPLEMENTED, "this control plane has only volumes of version 2")
            volume_id = self._new(*key)
        volume = self.by_id[volume_id]
        return pb.VolumeGetOrCreateResponse(
            volume_id=volume_id, version=pb.VOLUME_FS_VERSION_V2, metadata=_metadata(volume)
        )

    def _new(self, environment: str, name: str) -> str:
        volume_id = self._state.new_id("vo")
        folder = self._folder / (re.sub(r"[^\w.-]", "_", name) or volume_id)
        folder.mkdir(parents=True, exist_ok=True)  # what another control plane kept in the same place is found again
        self.by_id[volume_id] = Volume(volume_id, name, environment, folder, self._aside)
        if name:
            self._by_name[environment, name] = volume_id
        return volume_id

    @rpc("VolumeList")
    async def listing(self, request: pb.VolumeListRequest) -> pb.VolumeListResponse:
        items = [
            pb.VolumeListItem(
                label=volume.name, volume_id=volume.id, created_at=volume.created, metadata=_metadata(volume)
            )
            for volume in self.by_id.values()
            if volume.name and volume.environment == (request.environment_name or "main")
        ]
        return pb.VolumeListResponse(items=items)

    @rpc("VolumeDelete")
    async def delete(self, request: pb.VolumeDeleteRequest) -> None:
        volume = self._volume(request.volume_id)
        del self.by_id[volume.id]
        self._by_name = {key: value for key, value in self._by_name.items() if value != volume.id}
        await asyncio.to_thread(shutil.rmtree, volume.folder)

    @rpc("VolumeCommit")
    async def commit(self, request: pb.VolumeCommitRequest) -> pb.VolumeCommitResponse:
        volume, container = self._volume(request.volume_id), calling()
        if volume.failing:
            volume.failing -= 1
            raise GRPCError(Status.FAILED_PRECONDITION, "this commit fails on purpose")
        checkout = _checkout(container, volume)
        if _writable(container, volume.id):
            await asyncio.to_thread(checkout.commit)
        # A commit is followed by a reload, which would fail while files are open.
        return pb.VolumeCommitResponse(skip_reload=bool(await asyncio.to_thread(_open_files, container, checkout)))

    @rpc("VolumeReload")
    async def reload(self, request: pb.VolumeReloadRequest) -> None:
        checkout = _checkout(calling(), self._volume(request.volume_id))
        if files := await asyncio.to_thread(_open_files, calling(), checkout):
            text = "there are open files preventing the operation"
            raise GRPCError(Status.FAILED_PRECONDITION, f"{text}: {', '.join(files[:5])}")
        if _writable(calling(), checkout.volume.id):
            await asyncio.to_thread(checkout.commit)  # as Modal may do, by its documentation
        await asyncio.to_thread(checkout.bring)

    @rpc("VolumeListFiles2")
    async def list_files(self, request: pb.VolumeListFiles2Request) -> AsyncIterator[pb.VolumeListFiles2Response]:
        volume = self._volume(request.volume_id)
        top = volume.path(request.path)
        if not top.exists():
            raise not_found(f"{request.path!r} in the volume")
        entries = await asyncio.to_thread(_entries, volume, top, request.recursive)
        yield pb.VolumeListFiles2Response(entries=entries[: request.max_entries or None])

    @rpc("VolumeGetFile2")
    async def get_file(self, request: pb.VolumeGetFile2Request) -> pb.VolumeGetFile2Response:
        path = self._volume(request.volume_id).path(request.path)
        if not path.is_file():
            raise not_found(f"{request.path!r} in the volume")
        blob_id, link = self._content.new_blob()
        os.link(path.resolve(), link)  # what is read stays as it is now, even if the file is replaced meanwhile
        size = link.stat().st_size
        start = min(request.start, size)
        end = min(start + request.len, size) if request.len else size
        urls = [
            f"{self._content.address}/blob/{blob_id}/{max(start, block * BLOCK)}/{min(end, (block + 1) * BLOCK)}"
            for block in range(start // BLOCK, -(-end // BLOCK))
        ]
        return pb.VolumeGetFile2Response(get_urls=urls, size=size, start=start, len=end - start)

    @rpc("VolumePutFiles2")
    async def put_files(self, request: pb.VolumePutFiles2Request) -> pb.VolumePutFiles2Response:
        volume = self._volume(request.volume_id)
        if request.disallow_overwrite_existing_files:
            for file in request.files:
                if volume.path(file.path).exists():
                    raise GRPCError(Status.ALREADY_EXISTS, f"{file.path}: already exists")
        missing = [
            pb.VolumePutFiles2Response.MissingBlock(
                file_index=i, block_index=j, put_url=f"{self._content.address}/block"
            )
            for i, file in enumerate(request.files)
            for j, block in enumerate(file.blocks)
            if not self._content.file(block.contents_sha256.hex()).exists()
        ]
        if not missing:
            for file in request.files:
                await asyncio.to_thread(self._assemble, volume, file)
        return pb.VolumePutFiles2Response(missing_blocks=missing)

    def _assemble(self, volume: Volume, file: pb.VolumePutFiles2Request.File) -> None:
        temporary = self._aside / secrets.token_hex(8)
        with temporary.open("wb") as out:
            for index, block in enumerate(file.blocks):
                out.seek(index * BLOCK)
                with self._content.file(block.contents_sha256.hex()).open("rb") as part:
                    shutil.copyfileobj(part, out)
            out.truncate(file.size)  # blocks come without the zeros at their ends
        temporary.chmod(file.mode or 0o644)
        target = volume.path(file.path)
        with volume.lock:
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)

    @rpc("VolumeRemoveFile2")
    async def remove_file(self, request: pb.VolumeRemoveFile2Request) -> None:
        volume = self._volume(request.volume_id)
        path = volume.path(request.path)
        if not path.exists() and not path.is_symlink():
            raise not_found(f"{request.path!r} in the volume")
        if path.is_dir() and not request.recursive:
            raise GRPCError(Status.INVALID_ARGUMENT, f"{request.path!r} is a folder")
        with volume.lock:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _metadata(volume: Volume) -> pb.VolumeMetadata:
    created = pb.CreationInfo(created_at=volume.created)
    return pb.VolumeMetadata(version=pb.VOLUME_FS_VERSION_V2, name=volume.name, creation_info=created)


def _checkout(container: Container, volume: Volume) -> Checkout:
    if volume.id not in container.checkouts:
        raise GRPCError(Status.FAILED_PRECONDITION, f"Volume {volume.name!r} is not mounted in this container")
    return container.checkouts[volume.id]


def _writable(container: Container, volume_id: str) -> bool:
    mounts = container.function.definition.volume_mounts
    return any(mount.volume_id == volume_id and not mount.read_only for mount in mounts)


def _open_files(container: Container, checkout: Checkout) -> list[str]:
    return checkout.open_files(marked(str(container.arguments)))


def _entries(volume: Volume, top: Path, recursive: bool) -> list[pb.FileEntry]:
    found = [top] if top.is_file() else sorted(top.rglob("*") if recursive else top.iterdir())
    entries = []
    for path in found:
        stat = path.lstat()
        kind, size = pb.FileEntry.FILE, stat.st_size
        if path.is_symlink():
            kind = pb.FileEntry.SYMLINK
        elif path.is_dir():
            kind, size = pb.FileEntry.DIRECTORY, 0
        relative = str(path.relative_to(volume.folder))
        entries.append(pb.FileEntry(path=relative, type=kind, mtime=int(stat.st_mtime), size=size))
    return entries
