"""Secrets and Dicts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, MutableMapping

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from .server import rpc
from .state import ANONYMOUS, CREATING, State, not_found


class Secrets:
    """Named ones lie in a mapping that tests may change; their values only ever reach containers."""

    def __init__(self, state: State, named: MutableMapping[str, Mapping[str, str]]) -> None:
        self._state, self._named = state, named
        self._ids: dict[str, str] = {}  # name to id
        self._anonymous: dict[str, dict[str, str]] = {}

    def values(self, secret_id: str) -> Mapping[str, str]:
        return self._anonymous[secret_id] if secret_id in self._anonymous else self._named[self._name(secret_id)]

    def _name(self, secret_id: str) -> str:
        for name, known in self._ids.items():
            if known == secret_id and name in self._named:
                return name
        raise not_found(f"Secret {secret_id!r}")

    @rpc("SecretGetOrCreate")
    async def get_or_create(self, request: pb.SecretGetOrCreateRequest) -> pb.SecretGetOrCreateResponse:
        kind, name = request.object_creation_type, request.deployment_name
        if kind in ANONYMOUS or not name:
            secret_id = self._state.new_id("st")
            self._anonymous[secret_id] = dict(request.env_dict)
            return pb.SecretGetOrCreateResponse(secret_id=secret_id)
        if kind == pb.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS and name in self._named:
            raise GRPCError(Status.ALREADY_EXISTS, f"Secret {name!r} already exists")
        if kind in CREATING and (name not in self._named or kind == pb.OBJECT_CREATION_TYPE_CREATE_OVERWRITE_IF_EXISTS):
            self._named[name] = dict(request.env_dict)
        if name not in self._named:
            raise not_found(f"Secret {name!r}")
        if missing := sorted(set(request.required_keys) - self._named[name].keys()):
            raise not_found(f"Secret {name!r} misses required keys; key {', '.join(missing)}")
        secret_id = self._ids.setdefault(name, self._state.new_id("st"))
        return pb.SecretGetOrCreateResponse(secret_id=secret_id, metadata=self._metadata(name))

    def _metadata(self, name: str) -> pb.SecretMetadata:
        return pb.SecretMetadata(name=name, keys=list(self._named[name]), environment_name="main")

    @rpc("SecretGetInfo")
    async def info(self, request: pb.SecretGetInfoRequest) -> pb.SecretGetInfoResponse:
        return pb.SecretGetInfoResponse(metadata=self._metadata(self._name(request.secret_id)))

    @rpc("SecretList")
    async def listing(self, request: pb.SecretListRequest) -> pb.SecretListResponse:
        items = [
            pb.SecretListItem(
                label=name,
                secret_id=self._ids.setdefault(name, self._state.new_id("st")),
                environment_name="main",
                metadata=self._metadata(name),
            )
            for name in self._named
        ]
        return pb.SecretListResponse(items=items)


class Dicts:
    def __init__(self, state: State) -> None:
        self._state = state
        self._entries: dict[str, dict[bytes, bytes]] = {}
        self._ids: dict[tuple[str, str], str] = {}

    def _dict(self, dict_id: str) -> dict[bytes, bytes]:
        if dict_id not in self._entries:
            raise not_found(f"Dict {dict_id!r}")
        return self._entries[dict_id]

    @rpc("DictGetOrCreate")
    async def get_or_create(self, request: pb.DictGetOrCreateRequest) -> pb.DictGetOrCreateResponse:
        kind, key = request.object_creation_type, (request.environment_name or "main", request.deployment_name)
        dict_id = "" if kind in ANONYMOUS else self._ids.get(key, "")
        if not dict_id:
            if kind not in ANONYMOUS + CREATING:
                raise not_found(f"Dict {key[1]!r}")
            dict_id = self._state.new_id("di")
            self._entries[dict_id] = {entry.key: entry.value for entry in request.data}
            if kind not in ANONYMOUS:
                self._ids[key] = dict_id
        return pb.DictGetOrCreateResponse(dict_id=dict_id, metadata=pb.DictMetadata(name=key[1]))

    @rpc("DictGet")
    async def get(self, request: pb.DictGetRequest) -> pb.DictGetResponse:
        value = self._dict(request.dict_id).get(request.key)
        return pb.DictGetResponse(found=value is not None, value=value)

    @rpc("DictUpdate")
    async def update(self, request: pb.DictUpdateRequest) -> pb.DictUpdateResponse:
        entries = self._dict(request.dict_id)
        new = {each.key: each.value for each in request.updates if not (request.if_not_exists and each.key in entries)}
        entries |= new
        return pb.DictUpdateResponse(created=bool(new))

    @rpc("DictPop")
    async def pop(self, request: pb.DictPopRequest) -> pb.DictPopResponse:
        value = self._dict(request.dict_id).pop(request.key, None)
        return pb.DictPopResponse(found=value is not None, value=value)

    @rpc("DictContains")
    async def contains(self, request: pb.DictContainsRequest) -> pb.DictContainsResponse:
        return pb.DictContainsResponse(found=request.key in self._dict(request.dict_id))

    @rpc("DictLen")
    async def length(self, request: pb.DictLenRequest) -> pb.DictLenResponse:
        return pb.DictLenResponse(len=len(self._dict(request.dict_id)))

    @rpc("DictContents")
    async def contents(self, request: pb.DictContentsRequest) -> AsyncIterator[pb.DictEntry]:
        for key, value in list(self._dict(request.dict_id).items()):
            yield pb.DictEntry(key=key if request.keys else b"", value=value if request.values else b"")

    @rpc("DictClear")
    async def clear(self, request: pb.DictClearRequest) -> None:
        self._dict(request.dict_id).clear()

    @rpc("DictDelete")
    async def delete(self, request: pb.DictDeleteRequest) -> None:
        self._entries.pop(request.dict_id, None)
        self._ids = {key: value for key, value in self._ids.items() if value != request.dict_id}
