"""What containers print: kept by app, attributed to calls, streamed and fetched."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from functools import partial

from modal_proto import api_pb2 as pb

from .server import rpc
from .state import App, Container, State

KINDS = {pb.FILE_DESCRIPTOR_STDOUT: "stdout_logs", pb.FILE_DESCRIPTOR_STDERR: "stderr_logs"}
Query = pb.AppGetLogsRequest | pb.AppFetchLogsRequest | pb.AppCountLogsRequest


def write_log(
    container: Container,
    text: str,
    source: pb.FileDescriptor.ValueType = pb.FILE_DESCRIPTOR_UNSPECIFIED,
    state: pb.TaskState.ValueType = pb.TASK_STATE_UNSPECIFIED,
) -> None:
    """Adds a line to the call that runs, or ran last: what that prints at its end may arrive after its output."""
    app, now = container.function.app, time.time()
    item = pb.TaskLogs(data=text, timestamp=now, timestamp_ns=int(now * 1e9), file_descriptor=source, task_state=state)
    if container.last_call and len(container.calls) <= 1:
        item.function_call_id, item.input_id = container.last_call.id, container.last_call.input_id
    app.logs.append(
        pb.TaskLogsBatch(
            entry_id=f"{len(app.logs) + 1}-0",
            items=[item],
            task_id=container.id,
            function_id=container.function.base or container.function.id,
        )
    )
    app.changed.notify()


class Logs:
    def __init__(self, state: State) -> None:
        self._state = state

    @rpc("AppGetLogs")
    async def stream(self, request: pb.AppGetLogsRequest) -> AsyncIterator[pb.TaskLogsBatch]:
        app = self._state.app(request.app_id)
        position = int(request.last_entry_id.split("-")[0] or 0)
        end = time.monotonic() + request.timeout
        while True:
            while position < len(app.logs):
                position += 1
                if _matches(app.logs[position - 1], request):
                    yield app.logs[position - 1]
            if app.drained:
                yield pb.TaskLogsBatch(app_done=True)
                return
            if (left := end - time.monotonic()) <= 0:
                return
            await app.changed.until(partial(_further, app, position), left)

    @rpc("AppFetchLogs")
    async def fetch(self, request: pb.AppFetchLogsRequest) -> pb.AppFetchLogsResponse:
        batches = list(self._between(request))
        return pb.AppFetchLogsResponse(batches=batches[-request.limit :] if request.limit else batches)

    @rpc("AppCountLogs")
    async def count(self, request: pb.AppCountLogsRequest) -> pb.AppCountLogsResponse:
        counts: Counter[tuple[int, str]] = Counter()
        step = max(request.bucket_secs, 1)
        for batch in self._between(request):
            item = batch.items[0]
            counts[int(item.timestamp // step * step), KINDS.get(item.file_descriptor, "system_logs")] += 1
        buckets: dict[int, pb.AppCountLogsResponse.LogBucket] = {}
        for (start, kind), number in sorted(counts.items()):
            bucket = buckets.setdefault(start, pb.AppCountLogsResponse.LogBucket())
            bucket.bucket_start_at.FromSeconds(start)
            setattr(bucket, kind, number)
        return pb.AppCountLogsResponse(app_id=request.app_id, buckets=list(buckets.values()))

    def _between(self, request: pb.AppFetchLogsRequest | pb.AppCountLogsRequest) -> Iterator[pb.TaskLogsBatch]:
        since, until = request.since.ToNanoseconds(), request.until.ToNanoseconds() or 1 << 62
        for batch in self._state.app(request.app_id).logs:
            if batch.items[0].data and since <= batch.items[0].timestamp_ns < until and _matches(batch, request):
                yield batch


def _further(app: App, position: int) -> bool:
    return len(app.logs) > position or app.drained


def _matches(batch: pb.TaskLogsBatch, request: Query) -> bool:
    item = batch.items[0]
    source = request.file_descriptor if isinstance(request, pb.AppGetLogsRequest) else request.source
    return (
        request.function_id in ("", batch.function_id)
        and request.task_id in ("", batch.task_id)
        and request.function_call_id in ("", item.function_call_id)
        and request.search_text in item.data
        and source in (pb.FILE_DESCRIPTOR_UNSPECIFIED, item.file_descriptor)
    )
