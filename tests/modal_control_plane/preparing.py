"""What a container needs before it starts: files, checkouts of volumes, arguments, environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from modal_proto import api_pb2 as pb

from .content import Mounts
from .images import Images
from .interpreters import Interpreters
from .layout import layout
from .state import Container, State
from .stores import Secrets
from .volume_rpcs import Volumes
from .volumes import Checkout, copy
from .watchdog import MARKER

HOME = "/root"  # of every image: where code is mounted
PASSED = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")  # of this process's environment


@dataclass(frozen=True)
class Start:
    command: list[str]
    environment: dict[str, str]
    cwd: Path


@dataclass(frozen=True)
class Preparing:
    state: State
    mounts: Mounts
    images: Images
    volumes: Volumes
    secrets: Secrets
    interpreters: Interpreters
    extra: Mapping[str, str]  # variables for all containers

    def prepare(self, container: Container) -> Start:
        definition = container.function.definition
        recipe = self.images.recipe(definition.image_id)
        files = container.folder / "files"
        home = files / HOME[1:]
        for folder in (home, container.run / "tmp"):
            folder.mkdir(parents=True)
        for mount_id, source, target in recipe.copies:
            self._place(mount_id, files / target.strip("/"), source.strip("./"))
        for mount_id in definition.mount_ids:
            self._place(mount_id, files)
        places = self._check_out(container)
        self._write_arguments(container)
        cwd = files / recipe.workdir.strip("/") if recipe.workdir else home
        cwd.mkdir(parents=True, exist_ok=True)
        declared = dict(recipe.env)
        for secret_id in definition.secret_ids:
            declared |= self.secrets.values(secret_id)
        declared = {name: _found(value, places, files) for name, value in declared.items()}
        return Start(self.interpreters.command(recipe.env), self._environment(container, declared, home), cwd)

    def _write_arguments(self, container: Container) -> None:
        function, definition = container.function, container.function.definition
        needed = tuple(needs.object_id for needs in definition.object_dependencies)
        arguments = pb.ContainerArguments(
            task_id=container.id,
            function_id=function.id,
            app_id=function.app.id,
            function_def=definition,
            serialized_params=function.params,
            environment_name=function.app.environment,
            app_layout=layout(self.state, function.app, needed),
        )
        if function.base:  # a variant's container looks its function up under the same name
            arguments.app_layout.function_ids[function.name] = function.base
        container.arguments.write_bytes(arguments.SerializeToString())

    def _place(self, mount_id: str, target: Path, below: str = "") -> None:
        """Copies a mount's files (those below one of its folders): the originals serve other containers too."""
        for file in self.mounts.by_id[mount_id]:
            name = file.filename.lstrip("/")
            if below and not name.startswith(below + "/") and name != below:
                continue
            path = target / name.removeprefix(below).lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                copy(self.mounts.content.file(file.sha256_hex), path)
                path.chmod(file.mode or 0o644)

    def _check_out(self, container: Container) -> dict[str, Path]:
        """Where the container finds each of its volumes, by the path that was declared."""
        places = {}
        for mount in container.function.definition.volume_mounts:
            if mount.volume_id not in container.checkouts:
                folder = container.folder / mount.volume_id
                container.checkouts[mount.volume_id] = Checkout(self.volumes.by_id[mount.volume_id], folder)
            place = container.checkouts[mount.volume_id].folder / mount.sub_path.strip("/")
            place.mkdir(parents=True, exist_ok=True)
            places[mount.mount_path.rstrip("/")] = place
        return places

    def _environment(self, container: Container, declared: Mapping[str, str], home: Path) -> dict[str, str]:
        definition = container.function.definition
        environment = {name: os.environ[name] for name in PASSED if name in os.environ}
        if not definition.resources.gpu_config.gpu_type:
            environment["CUDA_VISIBLE_DEVICES"] = ""  # who asks for no GPU sees none
        environment |= {"HOME": str(home), "TMPDIR": str(container.run / "tmp"), "PYTHONUNBUFFERED": "1"}
        environment |= {**self.extra, **declared}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(home), environment.get("PYTHONPATH")]))
        return environment | {
            MARKER: str(container.arguments),
            "MODAL_SERVER_URL": f"unix://{container.socket}",
            "MODAL_TASK_ID": container.id,
            "MODAL_IS_REMOTE": "1",
            "MODAL_IMAGE_ID": definition.image_id,
            "MODAL_ENVIRONMENT": container.function.app.environment,
            "MODAL_CLOUD_PROVIDER": "CLOUD_PROVIDER_LOOPBACK",
            "MODAL_REGION": "loopback",
        }


def _found(value: str, places: Mapping[str, Path], files: Path) -> str:
    """A variable's value, with declared paths replaced: without a root of its own a container finds them elsewhere."""

    def found(part: str) -> str:
        for declared, place in places.items():
            if part == declared or part.startswith(declared + "/"):
                return str(place) + part[len(declared) :]
        if part.startswith("/") and part.strip("/") and (files / part.strip("/")).exists():
            return str(files / part.strip("/"))
        return part

    return ":".join(found(part) for part in value.split(":"))
