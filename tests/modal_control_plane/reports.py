"""What tests are told of containers and calls."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modal_proto import api_pb2 as pb

from .state import Call, Container, Function
from .volume_rpcs import Volumes


@dataclass(frozen=True)
class Asked:
    """What a function asks for, `with_options` included."""

    gpu: str
    cpu: float
    memory: int  # MiB
    timeout: int  # seconds
    retries: int
    regions: tuple[str, ...]
    volumes: tuple[str, ...]
    secrets: int


@dataclass(frozen=True)
class ContainerInfo:
    id: str
    function: str
    pid: int
    calls: tuple[str, ...]
    folder: Path
    asked: Asked


@dataclass(frozen=True)
class CallInfo:
    id: str
    function: str
    deliveries: int  # how often a container took it
    retries: int  # how many of its retries are used up
    done: bool
    status: str  # SUCCESS, FAILURE, TERMINATED, TIMEOUT, or nothing yet
    asked: Asked


def container_info(container: Container, volumes: Volumes) -> ContainerInfo:
    asked, calls = _asked(container.function, volumes), tuple(call.id for call in list(container.calls.values()))
    pid = container.process.pid if container.process else 0  # 0: it is being prepared
    return ContainerInfo(container.id, container.function.name, pid, calls, container.folder, asked)


def call_info(call: Call, volumes: Volumes) -> CallInfo:
    status = pb.GenericResult.GenericStatus.Name(call.output.result.status) if call.output else ""
    return CallInfo(
        call.id,
        call.function.name,
        call.deliveries,
        call.retries,
        call.done,
        status.removeprefix("GENERIC_STATUS_"),
        _asked(call.function, volumes),
    )


def _asked(function: Function, volumes: Volumes) -> Asked:
    definition = function.definition
    resources, gpu = definition.resources, definition.resources.gpu_config
    return Asked(
        gpu=f"{gpu.gpu_type}:{gpu.count}" if gpu.gpu_type else "",
        cpu=resources.milli_cpu / 1000,
        memory=resources.memory_mb,
        timeout=definition.timeout_secs,
        retries=definition.retry_policy.retries,
        regions=tuple(definition.scheduler_placement.regions),
        volumes=tuple(volumes.by_id[mount.volume_id].name for mount in definition.volume_mounts),
        secrets=len(definition.secret_ids),
    )
