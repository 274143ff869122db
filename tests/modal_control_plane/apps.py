"""Apps: deployed ones, and those that live as long as their client."""

from __future__ import annotations

import asyncio
import time

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from .content import Content
from .layout import layout
from .scheduling import Scheduler
from .server import rpc
from .state import App, State, not_found

ATTACHED = (pb.APP_STATE_EPHEMERAL, pb.APP_STATE_INITIALIZING)
PATIENCE = 60.0  # seconds without a heartbeat before an app without a client is stopped


class Apps:
    def __init__(self, state: State, scheduler: Scheduler, content: Content) -> None:
        self._state, self._scheduler, self._content = state, scheduler, content

    @rpc("AppCreate")
    async def create(self, request: pb.AppCreateRequest) -> pb.AppCreateResponse:
        app = self._new(request.description, request.environment_name, request.app_state)
        app.tags = dict(request.tags)
        return pb.AppCreateResponse(app_id=app.id, app_page_url=self._page(app))

    @rpc("AppGetOrCreate")
    async def get_or_create(self, request: pb.AppGetOrCreateRequest) -> pb.AppGetOrCreateResponse:
        key = (request.environment_name or "main", request.app_name)
        if key not in self._state.deployments:
            if request.object_creation_type != pb.OBJECT_CREATION_TYPE_CREATE_IF_MISSING:
                raise not_found(f"App {request.app_name!r}")
            self._state.deployments[key] = self._new(request.app_name, key[0], pb.APP_STATE_DEPLOYED)
        return pb.AppGetOrCreateResponse(app_id=self._state.deployments[key].id)

    def _new(self, name: str, environment: str, state: pb.AppState.ValueType) -> App:
        app = App(self._state.new_id("ap"), name, environment or "main", state)
        self._state.apps[app.id] = app
        return app

    def _page(self, app: App) -> str:
        return f"{self._content.address}/apps/{app.id}"

    @rpc("AppGetByDeploymentName")
    async def by_name(self, request: pb.AppGetByDeploymentNameRequest) -> pb.AppGetByDeploymentNameResponse:
        environment = request.environment_name or "main"
        app = self._state.deployments.get((environment, request.name))
        if app is None:
            return pb.AppGetByDeploymentNameResponse(environment_name=environment)
        return pb.AppGetByDeploymentNameResponse(app_id=app.id, environment_name=environment, lifecycle=_lifecycle(app))

    @rpc("AppGetLifecycle")
    async def lifecycle(self, request: pb.AppGetLifecycleRequest) -> pb.AppGetLifecycleResponse:
        return pb.AppGetLifecycleResponse(lifecycle=_lifecycle(self._state.app(request.app_id)))

    @rpc("AppGetLayout")
    async def get_layout(self, request: pb.AppGetLayoutRequest) -> pb.AppGetLayoutResponse:
        return pb.AppGetLayoutResponse(app_layout=layout(self._state, self._state.app(request.app_id)))

    @rpc("AppPublish")
    async def publish(self, request: pb.AppPublishRequest) -> pb.AppPublishResponse:
        app = self._state.app(request.app_id)
        for function_id in set(app.functions.values()) - set(request.function_ids.values()):
            self._scheduler.retire(self._state.functions[function_id])
        app.functions = dict(request.function_ids)
        app.tags = dict(request.tags) or app.tags
        app.state = request.app_state or app.state
        if app.deployed:
            app.name = request.name
            app.version += 1
            self._state.deployments[app.environment, app.name] = app
        return pb.AppPublishResponse(url=self._page(app), deployed_at=time.time())

    @rpc("AppHeartbeat")
    async def heartbeat(self, request: pb.AppHeartbeatRequest) -> None:
        app = self._state.app(request.app_id)
        app.heard = time.monotonic()
        if not app.live:
            raise GRPCError(Status.FAILED_PRECONDITION, "the app is stopped")

    @rpc("AppClientDisconnect")
    async def disconnect(self, request: pb.AppClientDisconnectRequest) -> None:
        app = self._state.app(request.app_id)
        if app.state in ATTACHED:
            self._scheduler.stop_app(app)
        elif app.state == pb.APP_STATE_DETACHED:
            app.state = pb.APP_STATE_DETACHED_DISCONNECTED

    @rpc("AppStop")
    async def stop(self, request: pb.AppStopRequest) -> None:
        self._scheduler.stop_app(self._state.app(request.app_id))

    @rpc("AppList")
    async def listing(self, request: pb.AppListRequest) -> pb.AppListResponse:
        running = [container.function.app for container in self._state.containers.values()]
        return pb.AppListResponse(
            apps=[
                pb.AppListResponse.AppListItem(
                    app_id=app.id,
                    name=app.name,
                    description=app.name,
                    state=app.state,
                    created_at=app.created,
                    n_running_tasks=running.count(app),
                )
                for app in self._state.apps.values()
                if app.environment == (request.environment_name or "main")
            ]
        )

    @rpc("AppSetTags")
    async def set_tags(self, request: pb.AppSetTagsRequest) -> None:
        self._state.app(request.app_id).tags = dict(request.tags)

    @rpc("AppGetTags")
    async def get_tags(self, request: pb.AppGetTagsRequest) -> pb.AppGetTagsResponse:
        return pb.AppGetTagsResponse(tags=self._state.app(request.app_id).tags)

    async def watch(self) -> None:
        """Stops apps whose client went away without a word, and detached ones that have nothing left to do."""
        while True:
            await asyncio.sleep(1)
            for app in list(self._state.apps.values()):
                lost = app.state in ATTACHED and time.monotonic() - app.heard > PATIENCE
                idle = app.state == pb.APP_STATE_DETACHED_DISCONNECTED and all(
                    call.done for call in self._state.calls.values() if call.function.app is app
                )
                if lost or idle:
                    self._scheduler.stop_app(app)


def _lifecycle(app: App) -> pb.AppLifecycle:
    return pb.AppLifecycle(app_state=app.state, created_at=app.created, version=app.version)
