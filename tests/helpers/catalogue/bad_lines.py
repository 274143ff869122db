"""Lines that are no rows: wrong bytes, wrong JSON, JSON with traps in it. Each is the second of its file."""

from __future__ import annotations

from helpers.catalogue.case import Bad

DEEP = "the row is nested more than 100 levels deep"
CUT = "the line ends in the middle of an object"
CUT_TEXT = "the line ends in the middle of a string"


def line(name: str, content: bytes, reason: str) -> Bad:
    return Bad(name, b'{"text": "fine"}\n' + content + b'\n{"text": "fine"}\n', reason, "data.jsonl:2")


CASES = [
    # bytes
    line("Latin-1", b'{"text": "caf\xe9"}', "the line is not UTF-8: byte 0xe9 at position 14"),
    line("an overlong slash", b'{"text": "\xc0\xaf"}', "the line is not UTF-8: byte 0xc0 at position 11"),
    line("a cut character", b'{"text": "\xf0\x9f\x98"}', "the line is not UTF-8: byte 0xf0 at position 11"),
    line("a character over U+10FFFF", b'{"text": "\xf4\x90\x80\x80"}', "the line is not UTF-8: byte 0xf4 at position 11"),
    line("a surrogate in CESU-8", b'{"text": "\xed\xa0\xbd"}', "the line is not UTF-8: byte 0xed at position 11"),
    line("a NUL byte", b'{"text": "a\0b"}', "the line holds NUL bytes: it is binary data, not text"),
    line("nothing but NUL bytes", b"\0" * 64, "the line holds NUL bytes: it is binary data, not text"),
    line("a second BOM", b'\xef\xbb\xbf{"text": "a"}', "a byte order mark (BOM) stands in the middle of the file"),
    line("a raw tab", b'{"text": "\t"}', "the line is not JSON: invalid control character at character 11: '\\t\"}'"),
    line(
        "a carriage return inside a text",
        b'{"text": "a\rb"}',
        "the line is not JSON: invalid control character at character 12: '\\rb\"}'",
    ),
    # half characters
    line("a lone high surrogate", b'{"text": "\\ud83d!"}', "half of a character, \\ud83d: a lone surrogate"),
    line("a lone low surrogate", b'{"text": "\\ude00"}', "half of a character, \\ude00: a lone surrogate"),
    line("surrogates in the wrong order", b'{"text": "\\ude00\\ud83d"}', "half of a character, \\ude00: a lone surrogate"),
    line("a lone surrogate as a key", b'{"\\ud800": 1}', "half of a character, \\ud800: a lone surrogate"),
    # cut lines
    line("cut in a text", b'{"text": "abc', CUT_TEXT),
    line("cut in an escape", b'{"text": "\\u12', CUT_TEXT),
    line("cut after a backslash", b'{"text": "\\', CUT_TEXT),
    line("cut after a key", b'{"text"', CUT),
    line("cut after a colon", b'{"text":', CUT),
    line("cut after a value", b'{"text": 1', CUT),
    line("cut in a word", b'{"text": fal', CUT),
    line("cut in a number", b'{"text": 1e', CUT),
    line("cut after a minus", b'{"text": -', CUT),
    line("cut in a list", b'{"text": [1, 2', CUT),
    line("cut after a comma", b'{"text": [1, ', CUT),
    line("only an opening brace", b"{", CUT),
    line("a cut list", b"[1, 2", "the line ends in the middle of a list"),
    # what is JSON, and no object
    line("a list", b'[{"text": "a"}]', "the row is a list, not an object"),
    line("a text", b'"text"', "the row is a text, not an object"),
    line("null", b"null", "the row is null, not an object"),
    line("true", b"true", "the row is a boolean, not an object"),
    line("a number", b"-0", "the row is a number, not an object"),
    # what is nearly JSON
    line("two objects", b'{"text": "a"}{"text": "b"}', "something follows the end of the object, at character 14: '{\"text\": \"b\"}'"),
    line("two objects with a space between", b'{"text": 1} {"b": 2}', "something follows the end of the object, at character 13: '{\"b\": 2}'"),
    line("a comma behind the object", b'{"text": "a"},', "something follows the end of the object, at character 14: ','"),
    line("single quotes", b"{'text': 'a'}", "the line is not JSON: expecting property name enclosed in double quotes at character 2: \"'text': 'a'}\""),
    line("a comment", b'{"text": "a"} // b', "something follows the end of the object, at character 15: '// b'"),
    line("a bare key", b'{text: "a"}', "the line is not JSON: expecting property name enclosed in double quotes at character 2: 'text: \"a\"}'"),
    line("Python's words", b'{"text": None}', "the line is not JSON: expecting value at character 10: 'None}'"),
    line("a number with a leading zero", b'{"text": 007}', "the line is not JSON: expecting ',' delimiter at character 11: '07}'"),
    line("a hexadecimal number", b'{"text": 0x1F}', "the line is not JSON: expecting ',' delimiter at character 11: 'x1F}'"),
    line("an unknown escape", b'{"text": "\\x41"}', "the line is not JSON: invalid \\escape at character 11: '\\\\x41\"}'"),
    line("YAML", b"text: a", "the line is not JSON: expecting value at character 1: 'text: a'"),
    line("CSV", b"text,label", "the line is not JSON: expecting value at character 1: 'text,label'"),
    line("HTML", b"<html>404</html>", "the line is not JSON: expecting value at character 1: '<html>404</html>'"),
    line(
        "a Git LFS pointer",
        b"version https://git-lfs.github.com/spec/v1",
        "the line is not JSON: expecting value at character 1: 'version https://git-'",
    ),
    # numbers
    line("NaN", b'{"text": NaN}', "NaN is not JSON; write null, or leave the field out"),
    line("minus infinity", b'{"text": -Infinity}', "-Infinity is not JSON; write null, or leave the field out"),
    line("a number over all floats", b'{"text": 1e999}', "the number 1e999 is too large"),
    line("5,000 digits", b'{"text": ' + b"9" * 5000 + b"}", f"the number {'9' * 40} is too large"),
    line("5,000,000 digits", b'{"text": ' + b"9" * 5_000_000 + b"}", f"the number {'9' * 40} is too large"),
    # keys
    line("a key twice", b'{"text": "a", "text": "b"}', "the key `text` stands twice in one object"),
    line("a key twice, once escaped", b'{"text": "a", "\\u0074ext": "b"}', "the key `text` stands twice in one object"),
    line("a key twice, with spaces", b'{"text" : 1, "b":2, "text"\t: 3}', "the key `text` stands twice in one object"),
    line("a key twice behind a text with a colon", b'{"text": "x\\":", "b": 1, "b": 2}', "the key `b` stands twice in one object"),
    line("a key twice behind a backslash", b'{"text\\\\": 1, "b": 1, "b": 2}', "the key `b` stands twice in one object"),
    line("an inner key twice", b'{"text": "a", "m": [{"k": 1, "k": 2}]}', "the key `k` stands twice in one object"),
    # depth and size
    line("101 objects deep", b'{"text": ' * 101 + b"1" + b"}" * 101, DEEP),
    line("10,000 objects deep", b'{"a": ' * 10_000 + b"1" + b"}" * 10_000, DEEP),
    line("10,000 lists deep", b'{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", DEEP),
    line("1,000,000 lists deep, never closed", b"[" * 1_000_000, DEEP),
    line("a line of 9 MB", b'{"text": "' + b"x" * 9_000_000 + b'"}', "the row is longer than 8 MB"),
    line("9 MB of spaces in a row", b'{"text":' + b" " * 9_000_000 + b'"a"}', "the row is longer than 8 MB"),
]  # fmt: skip
