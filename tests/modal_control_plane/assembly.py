"""The control plane's parts, put together."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from pathlib import Path

from .apps import Apps
from .calls import Calls, ContainerCalls
from .containers import Containers
from .content import Content, Mounts
from .functions import Functions
from .gateway import Gateways
from .images import Images
from .interpreters import Interpreters
from .logs import Logs
from .preparing import Preparing
from .recording import Recording
from .scheduling import Policy, Scheduler
from .server import Dispatcher, Endpoint
from .state import State
from .stores import Dicts, Secrets
from .volume_rpcs import Volumes
from .workspace import Workspace


class Parts:
    def __init__(
        self,
        folder: Path,
        run: Path,
        interpreters: Interpreters,
        secrets: MutableMapping[str, Mapping[str, str]],
        environment: Mapping[str, str],
        policy: Policy,
        token: tuple[str, str],
        proxy_token: tuple[str, str],
    ) -> None:
        """`run` is a folder of short paths, for sockets; `environment` holds variables for all containers."""
        (folder / "containers").mkdir(parents=True, exist_ok=True)
        self.recording = Recording(folder / "requests")
        self.state = State()
        self.content = Content(folder / "content", self.state, self.recording)
        mounts = Mounts(self.state, self.content)
        images, stores = Images(mounts), Secrets(self.state, secrets)
        self.images = images
        self.volumes = Volumes(self.state, self.content, folder / "volumes")
        preparing = Preparing(self.state, mounts, images, self.volumes, stores, interpreters, environment)
        containers = Containers(
            folder / "containers", run, preparing, lambda container: Endpoint(self.dispatcher, container)
        )
        self.scheduler = Scheduler(self.state, containers, policy)
        self.gateways = Gateways(self.state, self.scheduler, proxy_token)
        self.apps = Apps(self.state, self.scheduler, self.content)
        services = [
            Workspace(token[0]),
            self.apps,
            Functions(self.state, self.scheduler, self.gateways.open),
            Calls(self.state, self.scheduler),
            ContainerCalls(self.state, self.scheduler),
            Logs(self.state),
            mounts,
            images,
            stores,
            Dicts(self.state),
            self.volumes,
        ]
        self.dispatcher = Dispatcher(services, token, self.recording)
