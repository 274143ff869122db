"""The one workspace, its one environment, and who the client is."""

from __future__ import annotations

from modal_proto import api_pb2 as pb

from .images import newest_builder
from .server import rpc

WORKSPACE = "ftrun-tests"


class Workspace:
    def __init__(self, token_id: str) -> None:
        self._token_id = token_id
        self._builder = newest_builder()

    @rpc("ClientHello")
    async def hello(self, request: object) -> pb.ClientHelloResponse:
        return pb.ClientHelloResponse()

    @rpc("WorkspaceNameLookup")
    async def workspace(self, request: object) -> pb.WorkspaceNameLookupResponse:
        return pb.WorkspaceNameLookupResponse(username=WORKSPACE, workspace_name=WORKSPACE)

    @rpc("TokenInfoGet")
    async def token(self, request: object) -> pb.TokenInfoGetResponse:
        return pb.TokenInfoGetResponse(token_id=self._token_id, workspace_name=WORKSPACE)

    @rpc("EnvironmentGetOrCreate")
    async def environment(self, request: pb.EnvironmentGetOrCreateRequest) -> pb.EnvironmentGetOrCreateResponse:
        name = request.deployment_name or "main"
        settings = pb.EnvironmentSettings(image_builder_version=self._builder)
        metadata = pb.EnvironmentMetadata(name=name, settings=settings)
        return pb.EnvironmentGetOrCreateResponse(environment_id=f"en-{name}", metadata=metadata)

    @rpc("EnvironmentList")
    async def environments(self, request: object) -> pb.EnvironmentListResponse:
        item = pb.EnvironmentListItem(name="main", default=True, image_builder_version=self._builder)
        return pb.EnvironmentListResponse(items=[item])
