"""Images: ENV, WORKDIR and COPY are honoured; RUN is parsed, recorded and not run."""

from __future__ import annotations

import hashlib
import importlib.util
import shlex
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from modal_proto import api_pb2 as pb

from .content import Mounts
from .dockerfile import build_error
from .server import rpc

BUILT = pb.GenericResult(status=pb.GenericResult.GENERIC_STATUS_SUCCESS)
FAILED = pb.GenericResult(status=pb.GenericResult.GENERIC_STATUS_FAILURE)


@dataclass
class Recipe:
    """What an image and those below it say."""

    env: dict[str, str] = field(default_factory=dict)
    workdir: str = ""
    copies: list[tuple[str, str, str]] = field(default_factory=list)  # mount, source, target
    run: list[str] = field(default_factory=list)


class Images:
    def __init__(self, mounts: Mounts) -> None:
        self._mounts = mounts
        self.by_id: dict[str, pb.Image] = {}
        self._builders: dict[str, str] = {}
        self.build_logs: dict[str, str] = {}  # of images whose build failed, by id

    @rpc("ImageGetOrCreate")
    async def get_or_create(self, request: pb.ImageGetOrCreateRequest) -> pb.ImageGetOrCreateResponse:
        digest = hashlib.sha256(request.image.SerializeToString(deterministic=True)).hexdigest()
        image_id = f"im-{digest[:22]}"
        self.by_id[image_id] = request.image
        self._builders[image_id] = request.builder_version
        if printed := await self._build(request.image):
            self.build_logs[image_id] = printed
            return pb.ImageGetOrCreateResponse(image_id=image_id)  # no result: the client waits for the build
        return pb.ImageGetOrCreateResponse(image_id=image_id, result=BUILT, metadata=self._metadata(image_id))

    @rpc("ImageJoinStreaming")
    async def join(self, request: pb.ImageJoinStreamingRequest) -> AsyncIterator[pb.ImageJoinStreamingResponse]:
        printed = pb.TaskLogs(data=self.build_logs.get(request.image_id, ""))
        result = FAILED if request.image_id in self.build_logs else BUILT
        yield pb.ImageJoinStreamingResponse(entry_id="1-0", task_logs=[printed], result=result)

    async def _build(self, image: pb.Image) -> str:
        """Return what the first `RUN` line that its tool refuses prints; empty if all are accepted."""
        for command in image.dockerfile_commands:
            word, _, rest = command.strip().partition(" ")
            if word.upper() == "RUN" and (printed := await build_error(rest)):
                return f"=> {command}\n{printed}"
        return ""

    def _metadata(self, image_id: str) -> pb.ImageMetadata:
        workdir = self.recipe(image_id).workdir
        return pb.ImageMetadata(image_builder_version=self._builders.get(image_id, ""), workdir=workdir or None)

    def recipe(self, image_id: str) -> Recipe:
        recipe = Recipe()
        if (image := self.by_id.get(image_id)) is None:
            return recipe
        for layer in image.base_images:
            below = self.recipe(layer.image_id)
            recipe.env |= below.env
            recipe.workdir = below.workdir or recipe.workdir
            recipe.copies += below.copies
            recipe.run += below.run
        for command in image.dockerfile_commands:
            self._apply(command, image.context_mount_id, recipe)
        return recipe

    def _apply(self, command: str, context: str, recipe: Recipe) -> None:
        word, _, rest = command.strip().partition(" ")
        match word.upper():
            case "ENV":
                recipe.env |= dict(pair.split("=", 1) for pair in shlex.split(rest) if "=" in pair)
            case "WORKDIR":
                recipe.workdir = shlex.split(rest)[0]
            case "COPY" if context and context not in self._mounts.published and len(parts := rest.split()) == 2:
                recipe.copies.append((context, *parts))  # type: ignore[arg-type]
            case "RUN":
                recipe.run.append(rest)


def newest_builder() -> str:
    """The newest image builder that the installed client knows, found without importing the client."""
    package = importlib.util.find_spec("modal")
    assert package is not None
    assert package.submodule_search_locations
    folder = Path(package.submodule_search_locations[0]) / "builder"
    return max(path.stem for path in folder.glob("2???.??.txt"))
