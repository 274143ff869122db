"""What a client or a container is told of an app's objects."""

from __future__ import annotations

from modal_proto import api_pb2 as pb

from .state import App, Function, State


def layout(state: State, app: App, also: tuple[str, ...] = ()) -> pb.AppLayout:
    """The objects of an app with what a client or container must know of them; `also` names further ones."""
    functions = {each.id: each for each in list(state.functions.values()) if each.app is app and not each.base}
    needed = {
        needs.object_id for each in functions.values() for needs in each.definition.object_dependencies
    } - functions.keys()
    objects = [_object(object_id, functions) for object_id in [*functions, *needed, *also]]
    names = dict(app.functions) or {each.name: each.id for each in functions.values()}
    return pb.AppLayout(objects=objects, function_ids=names)


def _object(object_id: str, functions: dict[str, Function]) -> pb.Object:
    described = pb.Object(object_id=object_id)
    if object_id in functions:
        described.function_handle_metadata.CopyFrom(functions[object_id].metadata)
    elif object_id.startswith("mo-"):
        described.mount_handle_metadata.content_checksum_sha256_hex = "0" * 64
    elif object_id.startswith("vo-"):
        described.volume_metadata.version = pb.VOLUME_FS_VERSION_V2
    return described
