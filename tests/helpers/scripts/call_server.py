"""Asks a server by OpenAI's own client, which the engine's environment has; prints what it found as JSON.

python call_server.py URL KEY PART...
"""

from __future__ import annotations

import asyncio
import collections
import json
import sys
import time
from typing import Any

from openai import APIStatusError, AsyncOpenAI

QUESTION: Any = {"messages": [{"role": "user", "content": "How many singers?"}], "temperature": 0}
LONG = 600  # tokens of an answer that takes a while
LAST = 200  # tokens of one that a server on one core ends within the time that it has to stop
AT_ONCE = 150


class Asker:
    """One server."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._client = AsyncOpenAI(base_url=url, api_key=key, max_retries=0, timeout=120)

    async def answers(self) -> dict[str, Any]:
        """What each model says, as a whole and in pieces."""
        found: dict[str, Any] = {"models": [model.id async for model in self._client.models.list()]}
        for model in found["models"]:
            whole = await self._client.chat.completions.create(model=model, max_tokens=6, **QUESTION)
            pieces, _ = await self._stream(model, 6)
            found[model] = [whole.choices[0].message.content, pieces]
        completion = await self._client.completions.create(model=found["models"][-1], prompt="SELECT", max_tokens=6)
        found["completion"] = completion.choices[0].text
        return found

    async def refusals(self) -> dict[str, Any]:
        """Status and words for each request that no server should work on."""
        base = {"model": "base", "max_tokens": 4, **QUESTION}
        long = [{"role": "user", "content": "word " * 9000}]
        strange = self._client.with_options(api_key="strange")
        return {
            "unknown model": await self._refused(self._client, {**base, "model": "large"}),
            "malformed": await self._refused(self._client, {**base, "messages": "How many?"}),
            "too long": await self._refused(self._client, {**base, "messages": long}),
            "too large": await self._refused(self._client, {**base, "messages": [*long] * 9}),
            "strange key": await self._refused(strange, base),
            "not JSON": await self._not_json(),
            "unknown path": await self._plain("POST", "/nothing"),
            "wrong method": await self._plain("GET", "/completions"),
            "another host": await self._plain("GET", "/models", host="evil"),
        }

    async def _refused(self, client: AsyncOpenAI, body: dict[str, Any]) -> list[Any]:
        try:
            await client.chat.completions.create(**body)
        except APIStatusError as error:
            return [error.status_code, error.body.get("message") if isinstance(error.body, dict) else None]
        return [200, None]

    async def _not_json(self) -> list[Any]:
        """By the client's own connection, for it writes nothing that is wrong."""
        headers = {**self._client.auth_headers, "content-type": "application/json"}
        answer = await self._client._client.post(f"{self._url}/chat/completions", content=b'{"model":', headers=headers)
        return [answer.status_code, answer.json()["error"]["message"]]

    async def _plain(self, method: str, path: str, **headers: str) -> list[Any]:
        answer = await self._client._client.request(
            method, f"{self._url}{path}", headers={**self._client.auth_headers, **headers}
        )
        return [answer.status_code, answer.json()["error"]["message"]]

    async def crowd(self) -> dict[str, Any]:
        """Many at once while one answer is under way."""
        alone = await self._stream("tuned", LONG)
        before = asyncio.create_task(self._stream("tuned", LONG))
        await asyncio.sleep(0.3)
        found = await asyncio.gather(
            *(self._refused(self._client, {"model": "base", "max_tokens": 2, **QUESTION}) for _ in range(AT_ONCE))
        )
        return {
            "statuses": collections.Counter(status for status, _ in found),
            "undisturbed": (await before)[1] == alone[1],
            "after": (await self._stream("base", 2))[1],
        }

    async def left(self) -> list[float]:
        """Seconds until the engine stops its work for a client that has gone, for a stream and for a whole answer."""
        return [await self._left(stream) for stream in (True, False)]

    async def _left(self, stream: bool) -> float:
        every = {"model": "tuned", "max_tokens": 8000, "stream": stream, "extra_body": {"ignore_eos": True}}
        asking = asyncio.create_task(self._client.chat.completions.create(**every, **QUESTION))
        await self._until_running(1)
        if stream:
            await (await asking).close()
        asking.cancel()
        return await self._until_running(0)

    async def _until_running(self, count: int) -> float:
        """Seconds until the engine works on so many requests."""
        began = time.monotonic()
        while await self._running() != count:
            await asyncio.sleep(0.05)
        return time.monotonic() - began

    async def stopping(self) -> int:
        """Tokens of an answer that is under way while the server is told to stop."""
        await self._stream("base", 2)  # the client imports as it goes, which takes a second or two
        asking = asyncio.create_task(self._stream("tuned", LAST))
        await asyncio.sleep(0.3)  # its first piece may come late where an engine has few cores
        print("under way", flush=True)
        return (await asking)[1]

    async def _stream(self, model: str, tokens: int) -> tuple[str, int]:
        """The text of a streamed answer, and how many tokens the server says it has."""
        every = {"ignore_eos": True} if tokens >= LAST else {}
        pieces = await self._client.chat.completions.create(
            model=model,
            max_tokens=tokens,
            stream=True,
            stream_options={"include_usage": True},
            extra_body=every,
            **QUESTION,
        )
        text, count = "", 0
        async for piece in pieces:
            text += "".join(choice.delta.content or "" for choice in piece.choices)
            count = piece.usage.completion_tokens if piece.usage else count
        return text, count

    async def _running(self) -> float:
        root = self._url.removesuffix("/v1")
        metrics = await self._client._client.get(f"{root}/metrics", headers=self._client.auth_headers)
        lines = [line for line in metrics.text.splitlines() if line.startswith("vllm:num_requests_running")]
        return sum(float(line.rpartition(" ")[2]) for line in lines)


async def main() -> None:
    asker = Asker(sys.argv[1], sys.argv[2])
    print(json.dumps({part: await getattr(asker, part)() for part in sys.argv[3:]}))


asyncio.run(main())
