"""What stands before an engine: the key, the limits, and what an engine hears of a client that has gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from ftrun_plugins.serving import middleware, request_limits
from ftrun_plugins.serving.http_errors import Message, Receive, Send
from ftrun_plugins.serving.middleware import AuthMiddleware, RequestCounter

LIMITS = {"max_requests": 2, "max_request_bytes": 10, "request_timeout": 0.2, "stream_timeout": 0.5}
SHORT = 0.02  # seconds
LONG = 30.0


class Client:
    """One request to a gate, as a server would bring it."""

    def __init__(self, path: str = "/v1/completions", method: str = "POST", key: str | None = "k", **headers: str):
        given = {"authorization": f"Bearer {key}"} if key else {}
        named = {**given, **{name.replace("_", "-"): value for name, value in headers.items()}}
        pairs = [(name.encode(), value.encode()) for name, value in named.items()]
        self.scope = {"type": "http", "method": method, "path": path, "headers": pairs}
        self.sent: list[Message] = []
        self.places: list[int] = []  # that were taken as each message was sent
        self.takes: int | None = None  # so many messages, and then none
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.task: asyncio.Task[None] | None = None

    def ask(self, door: AuthMiddleware, *pieces: bytes) -> Client:
        for index, piece in enumerate(pieces or (b"{}",)):
            more = index + 1 < len(pieces)
            self.incoming.put_nowait({"type": "http.request", "body": piece, "more_body": more})
        return self.come(door)

    def come(self, door: AuthMiddleware) -> Client:
        async def send(message: Message) -> None:
            if len(self.sent) == self.takes:
                await asyncio.Event().wait()
            self.sent.append(message)
            self.places.append(middleware.REQUEST_COUNTER.active)

        self.task = asyncio.create_task(door(self.scope, self.incoming.get, send))
        return self

    def leave(self) -> None:
        self.incoming.put_nowait({"type": "http.disconnect"})

    async def end(self) -> Client:
        assert self.task is not None
        await asyncio.wait_for(self.task, 10)
        return self

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.sent[1:])

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)["error"]
        return found


class Engine:
    """An application that answers with pieces, each after a while, and listens for the end as vLLM's do."""

    def __init__(self, *pieces: bytes, seconds: float = 0.0, kind: bytes = b"application/json") -> None:
        self._pieces = pieces or (b"answer",)
        self._seconds = seconds
        self._kind = kind
        self.got: list[bytes] = []
        self.stopped = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            self.got.append((await receive())["body"])
        work = asyncio.create_task(self._work(send))
        gone = asyncio.create_task(receive())
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            assert (await gone)["type"] == "http.disconnect"
            self.stopped += 1
        gone.cancel()
        work.cancel()

    async def _work(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", self._kind)]})
        for index, piece in enumerate(self._pieces):
            await asyncio.sleep(self._seconds)
            await send({"type": "http.response.body", "body": piece, "more_body": index + 1 < len(self._pieces)})


class Deaf(Engine):
    """Never listens, and has to be cancelled."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            await self._work(send)
        except asyncio.CancelledError:
            self.stopped += 1
            raise


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> RequestCounter:
    found = RequestCounter()
    monkeypatch.setattr(middleware, "REQUEST_COUNTER", found)
    monkeypatch.setattr(request_limits, "GRACE", 0.1)
    monkeypatch.setenv(middleware.KEY, "k")
    monkeypatch.setenv(middleware.LIMITS, json.dumps(LIMITS))
    return found


pytestmark = pytest.mark.usefixtures("door")


def test_an_answer_passes_as_it_is() -> None:
    async def steps() -> None:
        engine = Engine(b"data: a\n\n", b"data: b\n\n", kind=b"text/event-stream")
        client = await Client().ask(AuthMiddleware(engine), b'{"a":', b"1}").end()
        assert engine.got == [b'{"a":1}']
        assert client.status == 200
        assert [message["body"] for message in client.sent[1:]] == [b"data: a\n\n", b"data: b\n\n"]
        assert [message["more_body"] for message in client.sent[1:]] == [True, False]
        assert client.places == [1, 1, 0]  # so that it can ask again as soon as it has the last piece

    asyncio.run(steps())


@pytest.mark.parametrize("key", [None, "wrong", "k2", "ключ"])
def test_who_has_no_key_gets_no_place(key: str | None, door: RequestCounter) -> None:
    async def steps() -> None:
        engine = Engine(seconds=LONG)
        busy = [Client().ask(AuthMiddleware(engine)) for _ in range(2)]
        await asyncio.sleep(SHORT)
        for path, method in (("/v1/completions", "POST"), ("/invocations", "POST"), ("/v1/models", "GET")):
            client = await Client(path, method, key).come(AuthMiddleware(engine)).end()
            assert (client.status, client.error["code"]) == (401, "invalid_api_key")
        assert (await Client("/health", "GET", key).come(AuthMiddleware(Engine())).end()).status == 200
        assert door.active == 2
        for one in busy:
            one.leave()
            await one.end()

    asyncio.run(steps())


def test_without_a_key_everybody_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(middleware.KEY)

    async def steps() -> None:
        assert (await Client(key=None).ask(AuthMiddleware(Engine())).end()).status == 200

    asyncio.run(steps())


def test_one_request_more_than_the_limit_is_sent_away_and_disturbs_none(door: RequestCounter) -> None:
    async def steps() -> None:
        engine = Engine(seconds=0.1)
        guarded = AuthMiddleware(engine)
        first = [Client().ask(guarded) for _ in range(2)]
        await asyncio.sleep(SHORT)
        more = [await Client().ask(guarded).end() for _ in range(3)]
        assert [one.status for one in more] == [429] * 3
        assert int(more[0].headers[b"retry-after"]) > 0
        assert more[0].error["code"] == "too_many_requests"
        assert (await Client("/v1/models", "GET").come(guarded).end()).status == 200
        assert [(await one.end()).body for one in first] == [b"answer"] * 2
        assert door.active == 0
        assert (await Client().ask(guarded).end()).status == 200
        assert len(engine.got) == 3

    asyncio.run(steps())


def test_what_is_too_large_is_not_kept_and_its_sender_not_cut_off() -> None:
    async def steps() -> None:
        engine = Engine()
        said = await Client(content_length="11").come(AuthMiddleware(engine)).end()
        unsaid = Client().ask(AuthMiddleware(engine), b"12345", b"678901", b"never read")
        await unsaid.end()
        for client in (said, unsaid):
            assert (client.status, client.error["code"]) == (413, "request_too_large")
            assert b"connection" not in client.headers  # else its sender would never see the answer
        assert unsaid.incoming.qsize() == 1
        assert (await Client(content_length="10").ask(AuthMiddleware(engine), b"1234567890").end()).status == 200
        assert engine.got == [b"1234567890"]

    asyncio.run(steps())


def test_who_is_cut_off_after_the_answer_has_sent_all_before_it() -> None:
    async def steps() -> None:
        for headers in ({"content_length": "11", "connection": "Close"}, {"connection": "close"}):
            client = Client(**headers).ask(AuthMiddleware(Engine()), b"12345", b"678901", b"thrown away")
            await client.end()
            assert client.status == 413
            assert client.incoming.empty()

    asyncio.run(steps())


def test_a_request_that_never_ends_gives_its_place_back(door: RequestCounter) -> None:
    async def steps() -> None:
        client = Client()
        client.incoming.put_nowait({"type": "http.request", "body": b"{", "more_body": True})
        assert (await client.come(AuthMiddleware(Engine())).end()).status == 408
        gone = Client().come(AuthMiddleware(Engine()))
        gone.leave()
        assert (await gone.end()).sent == []
        assert door.active == 0

    asyncio.run(steps())


@pytest.mark.parametrize("make", [Engine, Deaf])
@pytest.mark.parametrize("kind", [b"application/json", b"text/event-stream"])
def test_an_answer_that_does_not_begin_is_a_504_and_stops_the_engine(
    make: Callable[..., Engine], kind: bytes, door: RequestCounter
) -> None:
    async def steps() -> None:
        engine = make(seconds=LONG, kind=kind)
        client = await Client().ask(AuthMiddleware(engine)).end()
        assert (client.status, client.error["code"]) == (504, "timeout")
        await asyncio.sleep(SHORT)
        assert (engine.stopped, door.active) == (1, 0)

    asyncio.run(steps())


def test_a_stream_that_has_begun_goes_on_until_its_own_limit() -> None:
    async def steps() -> None:
        whole = Engine(*[b"data: x\n\n"] * 6, seconds=0.06, kind=b"text/event-stream")  # 0.36 s
        client = await Client().ask(AuthMiddleware(whole)).end()
        assert client.body == b"data: x\n\n" * 6
        endless = Engine(*[b"data: x\n\n"] * 99, seconds=0.06, kind=b"text/event-stream")
        client = await Client().ask(AuthMiddleware(endless)).end()
        *pieces, last, nothing = client.body.split(b"\n\n")
        assert set(pieces) == {b"data: x"}
        assert 6 < len(pieces) < 12
        assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == "timeout"
        assert (nothing, endless.stopped) == (b"", 1)

    asyncio.run(steps())


@pytest.mark.parametrize("make", [Engine, Deaf])
def test_a_client_that_leaves_frees_its_place_and_the_engine(make: Callable[..., Engine], door: RequestCounter) -> None:
    async def steps() -> None:
        engine = make(seconds=LONG)
        client = Client().ask(AuthMiddleware(engine))
        await asyncio.sleep(SHORT)
        client.leave()
        await client.end()
        await asyncio.sleep(SHORT)
        assert (client.sent, engine.stopped, door.active) == ([], 1, 0)

    asyncio.run(steps())


def test_a_client_that_takes_nothing_does_not_keep_its_place(door: RequestCounter) -> None:
    async def steps() -> None:
        engine = Engine(*[b"data: x\n\n"] * 99, seconds=SHORT, kind=b"text/event-stream")
        client = Client()
        client.takes = 3
        await client.ask(AuthMiddleware(engine)).end()
        assert len(client.sent) == 3
        await asyncio.sleep(SHORT)
        assert (engine.stopped, door.active) == (1, 0)

    asyncio.run(steps())


def test_a_closed_door_lets_answers_under_way_end(door: RequestCounter) -> None:
    async def steps() -> None:
        guarded = AuthMiddleware(Engine(seconds=0.1))
        first = Client().ask(guarded)
        await asyncio.sleep(SHORT)
        door.closed = True
        assert (await Client().ask(guarded).end()).status == 503
        assert (await Client("/health", "GET").come(guarded).end()).status == 503
        assert (await first.end()).body == b"answer"

    asyncio.run(steps())


def test_a_fault_of_the_engine_is_not_hidden(door: RequestCounter) -> None:
    async def broken(scope: Message, receive: Receive, send: Send) -> None:
        raise RuntimeError("broken")

    async def steps() -> None:
        with pytest.raises(RuntimeError, match="broken"):
            await Client().ask(AuthMiddleware(broken)).end()
        assert door.active == 0

    asyncio.run(steps())


def test_what_is_no_request_passes() -> None:
    async def steps() -> None:
        heard, sent = [], []

        async def application(scope: Message, receive: Receive, send: Send) -> None:
            heard.append(scope["type"])

        async def send(message: Message) -> None:
            sent.append(message)

        for kind in ("lifespan", "websocket"):
            await AuthMiddleware(application)(
                {"type": kind, "path": "/v1/realtime", "headers": []}, asyncio.Queue().get, send
            )
        assert heard == ["lifespan"]
        assert sent == [{"type": "websocket.close"}]

    asyncio.run(steps())


def test_a_request_with_tools_reaches_only_an_engine_that_parses_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(middleware.LIMITS, json.dumps({**LIMITS, "max_request_bytes": 100}))
    with_tools, without = b'{"tools": [{}]}', b'{"tools": []}'

    async def ask(*bodies: bytes) -> tuple[list[int], Engine, Client]:
        engine = Engine()
        clients = [await Client().ask(AuthMiddleware(engine), body).end() for body in bodies]
        return [client.status for client in clients], engine, clients[0]

    statuses, engine, _ = asyncio.run(ask(with_tools, without))
    assert (statuses, engine.got) == ([200, 200], [with_tools, without])
    monkeypatch.setenv(middleware.NO_TOOLS, "set serve.tool_parser")
    statuses, engine, refused = asyncio.run(ask(with_tools, without))
    assert (statuses, engine.got) == ([400, 200], [without])
    assert (refused.error["code"], refused.error["message"]) == ("unsupported_tools", "set serve.tool_parser")


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT", "DELETE", "TRACE"])
def test_only_get_of_the_health_needs_no_key(method: str, door: RequestCounter) -> None:
    async def steps() -> None:
        engine = Engine()
        client = await Client("/health", method, None).come(AuthMiddleware(engine)).end()
        assert (client.status, client.error["code"]) == (401, "invalid_api_key")
        assert (engine.got, door.active) == ([], 0)

    asyncio.run(steps())


def test_the_health_never_takes_a_place(door: RequestCounter) -> None:
    async def steps() -> None:
        slow = [
            Client("/health", method, key).come(AuthMiddleware(Deaf(seconds=LONG)))
            for method, key in (("GET", None), ("GET", "k"), ("POST", "k"))
        ]
        await asyncio.sleep(SHORT)
        assert door.active == 0
        for one in slow:
            assert one.task is not None
            one.task.cancel()

    asyncio.run(steps())


def test_a_key_is_compared_as_a_whole_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The place of the first wrong letter must not show in the time of the answer."""
    monkeypatch.setenv(middleware.KEY, "the key")
    compared = []

    def compare(given: bytes, key: bytes) -> bool:
        compared.append((given, key))
        return given == key

    monkeypatch.setattr(middleware.hmac, "compare_digest", compare)
    keys = ("the kez", "xhe key", "t", "", "the key")

    async def steps() -> None:
        statuses = [(await Client(key=key or " ").ask(AuthMiddleware(Engine())).end()).status for key in keys]
        assert statuses == [401, 401, 401, 401, 200]

    asyncio.run(steps())
    assert [given for given, _ in compared] == [b"the kez", b"xhe key", b"t", b" ", b"the key"]
    assert {key for _, key in compared} == {b"the key"}


def test_a_request_is_admitted_with_the_key_or_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of connections end with that."""

    async def admitted(*arguments: Any) -> bool:
        client, calls = Client(*arguments), []
        client.scope[middleware.ADMIT] = lambda: calls.append(True)
        await client.ask(AuthMiddleware(Engine())).end()
        return bool(calls)

    async def steps() -> list[bool]:
        cases = [("/v1/models", "GET", "k"), ("/v1/models", "GET", None), ("/health", "GET", None), ("/x", "POST", "z")]
        return [await admitted(*case) for case in cases]

    assert asyncio.run(steps()) == [True, False, False, False]
    monkeypatch.delenv(middleware.KEY)
    assert asyncio.run(steps()) == [False, False, False, True]


def test_without_a_list_of_hosts_every_name_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    async def status() -> int:
        return (await Client(host="evil").ask(AuthMiddleware(Engine())).end()).status

    assert asyncio.run(status()) == 200
    monkeypatch.setenv(middleware.HOSTS, "[]")
    assert asyncio.run(status()) == 403
    monkeypatch.setenv(middleware.HOSTS, '["*"]')
    assert asyncio.run(status()) == 200
