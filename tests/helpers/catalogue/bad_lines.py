"""Lines that are no rows: wrong bytes, wrong JSON, JSON with traps in it. Each is the second of its file."""

from __future__ import annotations

from helpers.catalogue.case import Bad


def line(name: str, content: bytes, reason: str) -> Bad:
    return Bad(name, b'{"text": "fine"}\n' + content + b'\n{"text": "fine"}\n', reason, "data.jsonl:2")


CASES = [
    # bytes
    line("Latin-1", b'{"text": "caf\xe9"}', "invalid-encoding position 14"),
    line("an overlong slash", b'{"text": "\xc0\xaf"}', "invalid-encoding position 11"),
    line("a cut character", b'{"text": "\xf0\x9f\x98"}', "invalid-encoding position 11"),
    line("a character over U+10FFFF", b'{"text": "\xf4\x90\x80\x80"}', "invalid-encoding position 11"),
    line("a surrogate in CESU-8", b'{"text": "\xed\xa0\xbd"}', "invalid-encoding position 11"),
    line("a NUL byte", b'{"text": "a\0b"}', "invalid-encoding NUL"),
    line("nothing but NUL bytes", b"\0" * 64, "invalid-encoding NUL"),
    line("a second BOM", b'\xef\xbb\xbf{"text": "a"}', "invalid-encoding BOM"),
    line("a raw tab", b'{"text": "\t"}', "invalid-json character 11"),
    line(
        "a carriage return inside a text",
        b'{"text": "a\rb"}',
        "invalid-json character 12",
    ),
    # half characters
    line("a lone high surrogate", b'{"text": "\\ud83d!"}', "invalid-encoding \\ud83d"),
    line("a lone low surrogate", b'{"text": "\\ude00"}', "invalid-encoding \\ude00"),
    line("surrogates in the wrong order", b'{"text": "\\ude00\\ud83d"}', "invalid-encoding \\ude00"),
    line("a lone surrogate as a key", b'{"\\ud800": 1}', "invalid-encoding \\ud800"),
    # cut lines
    line("cut in a text", b'{"text": "abc', "truncated"),
    line("cut in an escape", b'{"text": "\\u12', "truncated"),
    line("cut after a backslash", b'{"text": "\\', "truncated"),
    line("cut after a key", b'{"text"', "truncated"),
    line("cut after a colon", b'{"text":', "truncated"),
    line("cut after a value", b'{"text": 1', "truncated"),
    line("cut in a word", b'{"text": fal', "truncated"),
    line("cut in a number", b'{"text": 1e', "truncated"),
    line("cut after a minus", b'{"text": -', "truncated"),
    line("cut in a list", b'{"text": [1, 2', "truncated"),
    line("cut after a comma", b'{"text": [1, ', "truncated"),
    line("only an opening brace", b"{", "truncated"),
    line("a cut list", b"[1, 2", "truncated a list"),
    # what is JSON, and no object
    line("a list", b'[{"text": "a"}]', "wrong-type a list"),
    line("a text", b'"text"', "wrong-type a string"),
    line("null", b"null", "wrong-type null"),
    line("true", b"true", "wrong-type a boolean"),
    line("a number", b"-0", "wrong-type a number"),
    # what is nearly JSON
    line("two objects", b'{"text": "a"}{"text": "b"}', "invalid-json character 14"),
    line("two objects with a space between", b'{"text": 1} {"b": 2}', "invalid-json character 13"),
    line("a comma behind the object", b'{"text": "a"},', "invalid-json character 14"),
    line("single quotes", b"{'text': 'a'}", "invalid-json character 2"),
    line("a comment", b'{"text": "a"} // b', "invalid-json character 15"),
    line("a bare key", b'{text: "a"}', "invalid-json character 2"),
    line("Python's words", b'{"text": None}', "invalid-json character 10"),
    line("a number with a leading zero", b'{"text": 007}', "invalid-json character 11"),
    line("a hexadecimal number", b'{"text": 0x1F}', "invalid-json character 11"),
    line("an unknown escape", b'{"text": "\\x41"}', "invalid-json character 11"),
    line("YAML", b"text: a", "invalid-json character 1"),
    line("CSV", b"text,label", "invalid-json character 1"),
    line("HTML", b"<html>404</html>", "invalid-json character 1"),
    line(
        "a Git LFS pointer",
        b"version https://git-lfs.github.com/spec/v1",
        "invalid-json character 1",
    ),
    # numbers
    line("NaN", b'{"text": NaN}', "invalid-json NaN"),
    line("minus infinity", b'{"text": -Infinity}', "invalid-json -Infinity"),
    line("a number over all floats", b'{"text": 1e999}', "invalid-json too large"),
    line("5,000 digits", b'{"text": ' + b"9" * 5000 + b"}", "invalid-json too large"),
    line("5,000,000 digits", b'{"text": ' + b"9" * 5_000_000 + b"}", "invalid-json too large"),
    # keys
    line("a key twice", b'{"text": "a", "text": "b"}', "duplicate-key text"),
    line("a key twice, once escaped", b'{"text": "a", "\\u0074ext": "b"}', "duplicate-key text"),
    line("a key twice, with spaces", b'{"text" : 1, "b":2, "text"\t: 3}', "duplicate-key text"),
    line("a key twice behind a text with a colon", b'{"text": "x\\":", "b": 1, "b": 2}', "duplicate-key b"),
    line("a key twice behind a backslash", b'{"text\\\\": 1, "b": 1, "b": 2}', "duplicate-key b"),
    line("an inner key twice", b'{"text": "a", "m": [{"k": 1, "k": 2}]}', "duplicate-key k"),
    # depth and size
    line("101 objects deep", b'{"text": ' * 101 + b"1" + b"}" * 101, "too-deep nested"),
    line("10,000 objects deep", b'{"a": ' * 10_000 + b"1" + b"}" * 10_000, "too-deep nested"),
    line("10,000 lists deep", b'{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "too-deep nested"),
    line("1,000,000 lists deep, never closed", b"[" * 1_000_000, "too-deep nested"),
    line("a line of 9 MB", b'{"text": "' + b"x" * 9_000_000 + b'"}', "too-large"),
    line("9 MB of spaces in a row", b'{"text":' + b" " * 9_000_000 + b'"a"}', "too-large"),
]  # fmt: skip
