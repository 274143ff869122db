"""CSV, JSON lists and Parquet, from the file to the formatter; what their readers refuse by themselves is tested there."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from helpers.catalogue.bad_files import bomb
from helpers.catalogue.case import Bad

CHAT = {"name": "chat"}
ALPACA = {"name": "alpaca"}
AUTO = {"name": "auto"}
DEEP = b"[" + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"]"


def csv(name: str, data: bytes, reason: str, where: str = "data.csv:2", formatter: Any = None) -> Bad:
    return Bad(f"CSV: {name}", data, reason, where, formatter or {"name": "completion"}, "csv")


def json(name: str, data: bytes, reason: str, where: str = "data.json:1", formatter: Any = None) -> Bad:
    return Bad(f"JSON: {name}", data, reason, where, formatter or {"name": "completion"}, "json")


def parquet(name: str, columns: dict[str, Any], reason: str, formatter: Any = None) -> Bad:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    where = "data.parquet:1"
    return Bad(f"Parquet: {name}", file.getvalue(), reason, where, formatter or {"name": "completion"}, "parquet")


CASES = [
    csv("a conversation is only a text", b'messages\n"[{""role"": ""user""}]"\n', "missing-value messages[0]", formatter=CHAT),
    csv("a column in another case", b"Text\nhello\n", "missing-value text"),
    csv("a delimiter of another country", b"text;id\nhello;1\n", "wrong-format text;id", "data.csv:1"),
    csv("an empty text", b"text,id\n,1\n", "empty-value text"),
    csv("nothing but spaces", b'text\n"   "\n', "empty-value text"),
    csv("a quote that never ends", b'text\n"hello\n', "wrong-format", "data.csv:2"),
    csv("a field too many", b"text\nhello, world\n", "wrong-columns 2 fields, not 1"),
    csv("NUL", b"text\nhel\0lo\n", "bad-row NUL"),
    csv("Latin-1", "text\ncafé\n".encode("latin-1"), "invalid-encoding position 4"),
    csv("JSON Lines under the name of CSV", b'{"text": "a"}\n{"text": "b"}\n', "missing-value text"),
    csv("a bomb", bomb(150), "wrong-format", "data.csv:1"),
    csv("no answer", b"instruction,output\nAdd 1 and 1,\n", "empty-value output", formatter=ALPACA),
    csv("nothing that auto knows", b"a,b\n1,2\n", "unknown-format auto", formatter=AUTO),
    json("rows are lists", b'[["hello"]]', "wrong-type a list"),
    json("rows under a key that nobody named", b'{"data": [{"text": "a"}]}', "wrong-format a list", "data.json"),
    json("a text is an object", b'[{"text": {"a": 7}}]', "wrong-type text"),
    json("a text is null", b'[{"text": null}]', "wrong-type text"),
    json("10,000 levels", DEEP, "too-deep nested"),
    json("a huge number", b'[{"text": "a", "n": 1' + b"0" * 5000 + b"}]", "invalid-json"),
    json("NaN", b'[{"text": "a", "n": NaN}]', "invalid-json NaN"),
    json("cut short", b'[{"text": "a"}, {"text": "b', "invalid-json", "data.json"),
    json("a comma too many", b'[{"text": "a"},]', "invalid-json column 16", "data.json"),
    json("gzip, cut", gzip.compress(b'[{"text": "a"}]')[:-6], "damaged-file gzip", "data.json"),
    json("a text in place of messages", b'[{"messages": "hi"}]', "wrong-type messages", formatter=CHAT),
    parquet("another column", {"body": ["hello"]}, "missing-value text"),
    parquet("a text is a list", {"text": [[7]]}, "wrong-type text"),
    parquet("a text is null", {"text": pa.array([None], pa.string())}, "wrong-type text"),
    parquet("pictures", {"text": ["a"], "image": [b"\xff\xd8"]}, "bad-row image"),
    parquet("no conversation", {"messages": ["hi"]}, "wrong-type messages", CHAT),
    parquet("a turn without a role", {"messages": [[{"content": "hi"}]]}, "missing-value messages[0]", CHAT),
]  # fmt: skip
