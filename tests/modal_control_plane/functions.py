"""Functions, and their variants (`with_options`)."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from .scheduling import Scheduler
from .server import rpc
from .state import Function, State, not_found

OPTIONS = ("timeout_secs", "concurrency_limit", "max_concurrent_inputs", "target_concurrent_inputs")


class Functions:
    def __init__(self, state: State, scheduler: Scheduler, open_gateway: Callable[[str], Awaitable[str]]) -> None:
        self._state, self._scheduler, self._open_gateway = state, scheduler, open_gateway
        self._variants: dict[tuple[str, bytes], str] = {}

    @rpc("FunctionPrecreate")
    async def precreate(self, request: pb.FunctionPrecreateRequest) -> pb.FunctionPrecreateResponse:
        metadata = pb.FunctionHandleMetadata(
            function_name=request.function_name,
            function_type=request.function_type,
            function_schema=request.function_schema,
            app_id=request.app_id,
            supported_input_formats=request.supported_input_formats,
            supported_output_formats=request.supported_output_formats,
        )
        function_id = request.existing_function_id or self._state.new_id("fu")
        return pb.FunctionPrecreateResponse(function_id=function_id, handle_metadata=metadata)

    @rpc("FunctionCreate")
    async def create(self, request: pb.FunctionCreateRequest) -> pb.FunctionCreateResponse:
        app = self._state.app(request.app_id)
        function_id = request.existing_function_id or self._state.new_id("fu")
        definition, data = _definition(request)
        metadata = _metadata(app.id, function_id, definition)
        if definition.webhook_config.type or definition.HasField("http_config"):
            await self._publish(function_id, definition, data, metadata)
        function = Function(function_id, app, definition, data, metadata)
        if old := self._state.functions.get(function_id):
            function.pending = old.pending
            self._scheduler.retire(old)
        self._state.functions[function_id] = function
        self._scheduler.scale(function)
        return pb.FunctionCreateResponse(
            function_id=function_id, function=definition, function_data=data, handle_metadata=metadata
        )

    async def _publish(
        self, function_id: str, definition: pb.Function, data: pb.FunctionData, metadata: pb.FunctionHandleMetadata
    ) -> None:
        if definition.webhook_config.type not in (pb.WEBHOOK_TYPE_UNSPECIFIED, pb.WEBHOOK_TYPE_WEB_SERVER):
            raise GRPCError(Status.UNIMPLEMENTED, "of web functions this control plane has only web_server and server")
        url = await self._open_gateway(function_id)
        if definition.webhook_config.type:
            metadata.web_url = definition.web_url = data.web_url = url
        else:
            metadata._experimental_flash_urls.append(url)
            data.flash_service_urls.append(url)

    @rpc("FunctionGet")
    async def get(self, request: pb.FunctionGetRequest) -> pb.FunctionGetResponse:
        app = self._state.deployment(request.environment_name, request.app_name)
        if request.object_tag not in app.functions:
            raise not_found(f"Function {request.object_tag!r} of app {request.app_name!r}")
        function = self._state.function(app.functions[request.object_tag])
        return pb.FunctionGetResponse(
            function_id=function.id, handle_metadata=function.metadata, function=function.data
        )

    @rpc("FunctionGetById")
    async def get_by_id(self, request: pb.FunctionGetByIdRequest) -> pb.FunctionGetByIdResponse:
        function = self._state.function(request.function_id)
        return pb.FunctionGetByIdResponse(function=function.data, handle_metadata=function.metadata)

    @rpc("FunctionBindParams")
    async def bind(self, request: pb.FunctionBindParamsRequest) -> pb.FunctionBindParamsResponse:
        """The variant of these options: the same one for the same request, until its function is deployed anew."""
        base = self._state.function(request.function_id)
        key = (base.metadata.definition_id, request.SerializeToString(deterministic=True))
        if key not in self._variants:
            definition = pb.Function()
            definition.CopyFrom(base.definition)
            _apply(request.function_options, definition)
            metadata = pb.FunctionHandleMetadata()
            metadata.CopyFrom(base.metadata)
            metadata.base_function_id = base.id
            variant_id = self._variants[key] = self._state.new_id("fu")
            self._state.functions[variant_id] = Function(
                variant_id, base.app, definition, base.data, metadata, request.serialized_params, base.id
            )
        variant = self._state.functions[self._variants[key]]
        return pb.FunctionBindParamsResponse(bound_function_id=variant.id, handle_metadata=variant.metadata)


def _definition(request: pb.FunctionCreateRequest) -> tuple[pb.Function, pb.FunctionData]:
    """A function as its containers see it and as clients see it."""
    definition, data = pb.Function(), pb.FunctionData()
    if request.function_data.ranked_functions:  # gpu=[...]: in order of preference; there is always a first one here
        data.CopyFrom(request.function_data)
        definition.CopyFrom(data.ranked_functions[0].function)
        return definition, data
    definition.CopyFrom(request.function)
    for field, value in definition.ListFields():
        if field.name in data.DESCRIPTOR.fields_by_name:
            data.MergeFrom(_one_field(field.name, value))
    data.ranked_functions.add(rank=0, function=definition)  # the client wants at least one
    return definition, data


def _one_field(name: str, value: object) -> pb.FunctionData:
    return pb.FunctionData(**{name: value})  # type: ignore[arg-type]


def _metadata(app_id: str, function_id: str, definition: pb.Function) -> pb.FunctionHandleMetadata:
    digest = hashlib.sha256(definition.SerializeToString(deterministic=True)).hexdigest()
    return pb.FunctionHandleMetadata(
        function_name=definition.function_name,
        function_type=definition.function_type,
        is_method=definition.is_method,
        definition_id=f"de-{function_id[3:]}{digest[:8]}",
        class_parameter_info=definition.class_parameter_info,
        function_schema=definition.function_schema,
        app_id=app_id,
        supported_input_formats=definition.supported_input_formats,
        supported_output_formats=definition.supported_output_formats,
    )


def _apply(options: pb.FunctionOptions, definition: pb.Function) -> None:
    if options.HasField("resources"):
        definition.resources.MergeFrom(options.resources)
    if options.HasField("retry_policy"):
        definition.retry_policy.CopyFrom(options.retry_policy)
    if options.HasField("scheduler_placement"):
        definition.scheduler_placement.CopyFrom(options.scheduler_placement)
    if options.replace_secret_ids or options.secret_ids:
        definition.secret_ids[:] = options.secret_ids
    if options.replace_volume_mounts or options.volume_mounts:
        del definition.volume_mounts[:]
        definition.volume_mounts.extend(options.volume_mounts)
    for name in OPTIONS:
        if options.HasField(name):  # type: ignore[arg-type]
            setattr(definition, name, getattr(options, name))
    if options.HasField("concurrency_limit"):
        definition.autoscaler_settings.max_containers = options.concurrency_limit
    if options.HasField("task_idle_timeout_secs"):
        definition.autoscaler_settings.scaledown_window = options.task_idle_timeout_secs
