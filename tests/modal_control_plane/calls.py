"""Calls as clients see them: made, waited for, retried by the client, cancelled, looked up."""

from __future__ import annotations

from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from .scheduling import Scheduler
from .server import calling, rpc
from .state import Call, State

Result = pb.GenericResult


class Calls:
    def __init__(self, state: State, scheduler: Scheduler) -> None:
        self._state, self._scheduler = state, scheduler

    @rpc("FunctionMap")
    async def make(self, request: pb.FunctionMapRequest) -> pb.FunctionMapResponse:
        function = self._state.function(request.function_id)
        if not function.app.live:
            raise GRPCError(Status.FAILED_PRECONDITION, "the app is stopped")
        if len(request.pipelined_inputs) != 1:
            raise GRPCError(Status.UNIMPLEMENTED, "calls of several inputs (map) are not offered here")
        call = Call(
            self._state.new_id("fc"),
            self._state.new_id("in"),
            function,
            request.pipelined_inputs[0].input,
            request.function_call_invocation_type == pb.FUNCTION_CALL_INVOCATION_TYPE_SYNC,
            request.function_call_invocation_type,
            request.parent_input_id,
        )
        self._state.calls[call.id] = self._state.inputs[call.input_id] = call
        self._scheduler.enqueue(call)
        # the client only hands these tokens back, in FunctionRetryInputs
        put = pb.FunctionPutInputsResponseItem(input_id=call.input_id, input_jwt=call.input_id)
        return pb.FunctionMapResponse(
            function_call_id=call.id,
            function_call_jwt=call.id,
            pipelined_inputs=[put],
            retry_policy=function.definition.retry_policy,
            sync_client_retries_enabled=True,
            max_inputs_outstanding=1,
        )

    @rpc("FunctionRetryInputs")
    async def retry(self, request: pb.FunctionRetryInputsRequest) -> pb.FunctionRetryInputsResponse:
        call = self._state.call(request.function_call_jwt)
        call.output = None
        call.retries += 1
        self._scheduler.enqueue(call)
        return pb.FunctionRetryInputsResponse(input_jwts=[call.input_id])

    @rpc("FunctionGetOutputs")
    async def outputs(self, request: pb.FunctionGetOutputsRequest) -> pb.FunctionGetOutputsResponse:
        call = self._state.call(request.function_call_id)
        await call.changed.until(lambda: call.done, request.timeout)
        output = None if call.expired else call.output
        return pb.FunctionGetOutputsResponse(
            outputs=[output] if output else [],
            idxs=[0] if output else [],
            last_entry_id=request.last_entry_id,
            num_unfinished_inputs=0 if call.done else 1,
        )

    @rpc("FunctionCallFromId")
    async def from_id(self, request: pb.FunctionCallFromIdRequest) -> pb.FunctionCallFromIdResponse:
        function = self._state.call(request.function_call_id).function
        metadata = pb.FunctionCallHandleMetadata(app_id=function.app.id, function_id=function.id)
        return pb.FunctionCallFromIdResponse(function_call_id=request.function_call_id, num_inputs=1, metadata=metadata)

    @rpc("FunctionCallGetInfo")
    async def info(self, request: pb.FunctionCallGetInfoRequest) -> pb.FunctionCallGetInfoResponse:
        call = self._state.call(request.function_call_id)
        status = call.output.result.status if call.output else None

        def counted(*statuses: int) -> pb.InputCategoryInfo:
            return pb.InputCategoryInfo(total=int(status in statuses))

        info = pb.FunctionCallInfo(
            function_call_id=call.id,
            created_at=call.created,
            total_inputs=1,
            pending_inputs=pb.InputCategoryInfo(total=int(status is None)),
            succeeded_inputs=counted(Result.GENERIC_STATUS_SUCCESS),
            timeout_inputs=counted(Result.GENERIC_STATUS_TIMEOUT),
            cancelled_inputs=counted(Result.GENERIC_STATUS_TERMINATED),
            failed_inputs=counted(Result.GENERIC_STATUS_FAILURE, Result.GENERIC_STATUS_INTERNAL_FAILURE),
        )
        return pb.FunctionCallGetInfoResponse(info=info)

    @rpc("FunctionCallCancel")
    async def cancel(self, request: pb.FunctionCallCancelRequest) -> None:
        self._scheduler.cancel(self._state.call(request.function_call_id), terminate=request.terminate_containers)

    @rpc("FunctionGetCallGraph")
    async def graph(self, request: pb.FunctionGetCallGraphRequest) -> pb.FunctionGetCallGraphResponse:
        """All calls below the same first one."""
        root = self._root(self._state.call(request.function_call_id))
        family = [call for call in self._state.calls.values() if self._root(call) is root]
        return pb.FunctionGetCallGraphResponse(
            inputs=[
                pb.InputCallGraphInfo(
                    input_id=call.input_id,
                    function_call_id=call.id,
                    status=call.output.result.status if call.output else Result.GENERIC_STATUS_UNSPECIFIED,
                    task_id=call.container.id if call.container else call.output.task_id if call.output else "",
                )
                for call in family
            ],
            function_calls=[
                pb.FunctionCallCallGraphInfo(
                    function_call_id=call.id,
                    parent_input_id=call.parent_input,
                    function_name=call.function.name,
                    module_name=call.function.definition.module_name,
                )
                for call in family
            ],
        )

    def _root(self, call: Call) -> Call:
        while call.parent_input in self._state.inputs:
            call = self._state.inputs[call.parent_input]
        return call


class ContainerCalls:
    """Calls as containers see them: taken, answered, cancelled."""

    def __init__(self, state: State, scheduler: Scheduler) -> None:
        self._state, self._scheduler = state, scheduler

    @rpc("ContainerHello")
    async def hello(self, request: object) -> None:
        return None

    @rpc("FunctionGetInputs")
    async def inputs(self, request: pb.FunctionGetInputsRequest) -> pb.FunctionGetInputsResponse:
        container, function = calling(), calling().function
        container.ready = True
        function.changed.notify()
        idle = min(self._scheduler.policy.idle, function.definition.autoscaler_settings.scaledown_window or 60)
        await function.changed.until(lambda: function.pending or container.stopping, idle)
        call = self._scheduler.take(container)
        if call is None:
            if not container.stopping and (container.calls or function.definition.webhook_config.type):
                return pb.FunctionGetInputsResponse()  # busy with another input, or a web server: it asks again
            container.stopping = True
            return pb.FunctionGetInputsResponse(inputs=[pb.FunctionGetInputsItem(kill_switch=True)])
        item = pb.FunctionGetInputsItem(
            input_id=call.input_id,
            input=call.input,
            function_call_id=call.id,
            function_call_invocation_type=call.invocation,
            retry_count=call.retries,
        )
        return pb.FunctionGetInputsResponse(inputs=[item])

    @rpc("FunctionPutOutputs")
    async def put(self, request: pb.FunctionPutOutputsRequest) -> None:
        for output in request.outputs:
            call = self._state.inputs[output.input_id]
            if call.container is calling():  # else it was taken away meanwhile: late outputs do not count
                self._scheduler.attempt_ended(call, output.result, output.data_format)
        if calling().stopping:
            calling().function.changed.notify()

    @rpc("ContainerHeartbeat")
    async def heartbeat(self, request: pb.ContainerHeartbeatRequest) -> pb.ContainerHeartbeatResponse:
        container = calling()
        await container.changed.until(lambda: container.cancels, 10)
        if not container.cancels:
            return pb.ContainerHeartbeatResponse()
        inputs, container.cancels = container.cancels, []
        return pb.ContainerHeartbeatResponse(cancel_input_event=pb.CancelInputEvent(input_ids=inputs))

    @rpc("ContainerServerLifecycleReady")
    async def server_ready(self, request: object) -> None:
        calling().ready = True
        calling().function.changed.notify()

    @rpc("TaskResult")
    async def task_result(self, request: pb.TaskResultRequest) -> None:
        calling().failure = request.result  # it could not start, because an import failed for example
