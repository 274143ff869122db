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
    csv("a conversation is only a text", b'messages\n"[{""role"": ""user""}]"\n', "`messages` is a text, not a list of messages", formatter=CHAT),
    csv("a column in another case", b"Text\nhello\n", "there is no column `text`: the row has `Text`; did you mean `Text`?"),
    csv("a delimiter of another country", b"text;id\nhello;1\n", "the only column is `text;id`: is `;` the delimiter?", "data.csv:1"),
    csv("an empty text", b"text,id\n,1\n", "`text` is empty: there is nothing to learn"),
    csv("nothing but spaces", b'text\n"   "\n', "`text` is empty: there is nothing to learn"),
    csv("a quote that never ends", b'text\n"hello\n', "the row that begins in line 2 is longer than 8 MB, or never ends", "data.csv:2"),
    csv("a field too many", b"text\nhello, world\n", "the row has 2 fields for 1 columns: is a text with the delimiter in it not quoted?"),
    csv("NUL", b"text\nhel\0lo\n", "the row holds NUL bytes: it is binary data, not text"),
    csv("Latin-1", "text\ncafé\n".encode("latin-1"), "the row is not UTF-8: byte 0xe9 at position 4 of line 2"),
    csv("JSON Lines under the name of CSV", b'{"text": "a"}\n{"text": "b"}\n', 'there is no column `text`: the row has `{"text": "a"}`'),
    csv("a bomb", bomb(150), "the row that begins in line 1 is longer than 8 MB, or never ends", "data.csv:1"),
    csv("no answer", b"instruction,output\nAdd 1 and 1,\n", "`output` is empty", formatter=ALPACA),
    csv("nothing that auto knows", b"a,b\n1,2\n", "no row has a shape that `auto` knows; the first has `a`, `b`", formatter=AUTO),
    json("rows are lists", b'[["hello"]]', "the row is a list, not an object (it begins in line 1)"),
    json("rows under a key that nobody named", b'{"data": [{"text": "a"}]}', "the file begins with an object, not with a list", "data.json"),
    json("a text is a number", b'[{"text": 7}]', "`text` is a number, not a text"),
    json("a text is null", b'[{"text": null}]', "`text` is null, not a text"),
    json("10,000 levels", DEEP, "the row is nested more than 100 levels deep (it begins in line 1)"),
    json("a huge number", b'[{"text": "a", "n": 1' + b"0" * 5000 + b"}]", "the number 1000…"),
    json("NaN", b'[{"text": "a", "n": NaN}]', "NaN is not JSON; write null, or leave the field out (it begins in line 1)"),
    json("cut short", b'[{"text": "a"}, {"text": "b', "the file ends inside the value that begins in line 1", "data.json"),
    json("a comma too many", b'[{"text": "a"},]', "']' stands where a value should (line 1, column 16)", "data.json"),
    json("gzip, cut", gzip.compress(b'[{"text": "a"}]')[:-6], "the gzip file is damaged: …", "data.json"),
    json("a text in place of messages", b'[{"messages": "hi"}]', "`messages` is a text, not a list of messages", formatter=CHAT),
    parquet("another column", {"body": ["hello"]}, "there is no column `text`: the row has `body`"),
    parquet("a text is a number", {"text": [7]}, "`text` is a number, not a text"),
    parquet("a text is null", {"text": pa.array([None], pa.string())}, "`text` is null, not a text"),
    parquet("pictures", {"text": ["a"], "image": [b"\xff\xd8"]}, "column `image` holds bytes that are no text…"),
    parquet("no conversation", {"messages": ["hi"]}, "`messages` is a text, not a list of messages", CHAT),
    parquet("a turn without a role", {"messages": [[{"content": "hi"}]]}, "messages[0] has no `role`; it has `content`", CHAT),
]  # fmt: skip
