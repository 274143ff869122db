"""Content that clients send: blobs, files by their checksum, mounts; and the HTTP addresses it is sent to."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

from aiohttp import web
from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from .recording import Recording
from .server import rpc
from .state import State

CHUNK = 1 << 20  # bytes


class Content:
    """Files by their sha256, and blobs by their id."""

    def __init__(self, folder: Path, state: State, recording: Recording) -> None:
        self._folder, self._state, self._recording = folder, state, recording
        self.address = ""  # known once the HTTP server listens
        for name in ("files", "blobs"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def file(self, sha256: str) -> Path:
        return self._folder / "files" / Path(sha256).name

    def blob(self, blob_id: str) -> Path:
        return self._folder / "blobs" / Path(blob_id).name

    def new_blob(self) -> tuple[str, Path]:
        blob_id = self._state.new_id("bl")
        return blob_id, self.blob(blob_id)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.put("/blob/{id}", self._put_blob),
            web.get("/blob/{id}", self._get_blob),
            web.get("/blob/{id}/{start}/{end}", self._get_range),
            web.put("/block", self._put_block),
        ]

    async def _save(self, request: web.Request) -> tuple[Path, str, str]:
        """What is uploaded, in a file of its own: its path, md5 and sha256."""
        md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
        path = self._folder / secrets.token_hex(8)
        with path.open("wb") as file:
            async for chunk in request.content.iter_chunked(CHUNK):
                file.write(chunk)
                md5.update(chunk)
                sha256.update(chunk)
                self._recording.add(f"PUT {request.path.split('/')[1]}", "http", chunk)
        return path, md5.hexdigest(), sha256.hexdigest()

    async def _put_blob(self, request: web.Request) -> web.Response:
        path, md5, _ = await self._save(request)
        path.replace(self.blob(request.match_info["id"]))
        return web.Response(headers={"ETag": f'"{md5}"'})  # which the client compares

    async def _put_block(self, request: web.Request) -> web.Response:
        path, _, sha256 = await self._save(request)
        path.replace(self.file(sha256))
        return web.Response(text=sha256)

    async def _get_blob(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(self.blob(request.match_info["id"]))

    async def _get_range(self, request: web.Request) -> web.Response:
        start, end = int(request.match_info["start"]), int(request.match_info["end"])
        with self.blob(request.match_info["id"]).open("rb") as file:
            file.seek(start)
            return web.Response(body=file.read(end - start))


class Mounts:
    """Mounts and blobs."""

    def __init__(self, state: State, content: Content) -> None:
        self._state, self.content = state, content
        self.by_id: dict[str, list[pb.MountFile]] = {}
        self.published: set[str] = set()  # mounts that only have a name: the client's own, standalone Pythons

    @rpc("BlobCreate")
    async def create_blob(self, request: pb.BlobCreateRequest) -> pb.BlobCreateResponse:
        blob_id, _ = self.content.new_blob()
        urls = pb.UploadUrlList(items=[f"{self.content.address}/blob/{blob_id}"])
        return pb.BlobCreateResponse(blob_ids=[blob_id], upload_urls=urls)

    @rpc("BlobGet")
    async def get_blob(self, request: pb.BlobGetRequest) -> pb.BlobGetResponse:
        return pb.BlobGetResponse(download_url=f"{self.content.address}/blob/{request.blob_id}")

    @rpc("MountBatchedCheckExistence")
    async def check(self, request: pb.MountBatchedCheckExistenceRequest) -> pb.MountBatchedCheckExistenceResponse:
        missing = [sha256 for sha256 in request.sha256_hex_hashes if not self.content.file(sha256).exists()]
        return pb.MountBatchedCheckExistenceResponse(missing_sha256_hex_hashes=missing)

    @rpc("MountPutFile")
    async def put_file(self, request: pb.MountPutFileRequest) -> pb.MountPutFileResponse:
        path, kind = self.content.file(request.sha256_hex), request.WhichOneof("data_oneof")
        if kind and not path.exists():
            data = request.data if kind == "data" else self.content.blob(request.data_blob_id).read_bytes()
            if hashlib.sha256(data).hexdigest() != request.sha256_hex:
                raise GRPCError(Status.INVALID_ARGUMENT, "the content does not have this sha256")
            path.write_bytes(data)
        return pb.MountPutFileResponse(exists=path.exists())

    @rpc("MountGetOrCreate")
    async def get_mount(self, request: pb.MountGetOrCreateRequest) -> pb.MountGetOrCreateResponse:
        if request.deployment_name and request.object_creation_type == pb.OBJECT_CREATION_TYPE_UNSPECIFIED:
            mount_id = f"mo-{request.deployment_name}"
            self.published.add(mount_id)
        else:
            mount_id = self._state.new_id("mo")
        self.by_id[mount_id] = list(request.files)
        metadata = pb.MountHandleMetadata(content_checksum_sha256_hex="0" * 64)
        return pb.MountGetOrCreateResponse(mount_id=mount_id, handle_metadata=metadata)
