"""Describe the fault of a line of JSON. Slow and exact: only lines that are bad or suspect get here."""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple

MAX_DEPTH = 100  # levels; deeper data is a mistake, and no trainer's table takes it
BOM = "\ufeff"
# What is left of a word or a number where a line was cut inside of it.
_BEGINNINGS = {word[:end] for word in ("true", "false", "null") for end in range(1, len(word))}
_BEGINNINGS |= {"-", ".", "e", "E", "e-", "e+", "E-", "E+"}


class Fault(NamedTuple):
    """A code of `docs/errors.md` and a reason."""

    code: str
    reason: str


TOO_DEEP = Fault("too-deep", f"the row is nested more than {MAX_DEPTH} levels deep")


class _WrongLineError(Exception):
    """Carries a fault out of the parser's callbacks."""

    def __init__(self, code: str, reason: str) -> None:
        self.fault = Fault(code, reason)
        super().__init__(reason)


def find_fault(line: bytes) -> Fault | None:
    """Return why a line is not one sound JSON object, or None if no fault is found."""
    if b"\0" in line:
        return Fault("invalid-encoding", "the line holds NUL bytes: it is binary data, not text")
    try:
        text = line.decode().rstrip()
    except UnicodeDecodeError as error:
        reason = f"the line is not UTF-8: byte 0x{line[error.start]:02x} at position {error.start + 1}"
        return Fault("invalid-encoding", reason)
    if text.lstrip().startswith(BOM):
        return Fault("invalid-encoding", "a byte order mark (BOM) stands in the middle of the file")
    try:
        value = _DECODER.decode(text)
    except _WrongLineError as wrong:
        return wrong.fault
    except json.JSONDecodeError as error:
        return _syntax(text, error)
    except RecursionError:
        return TOO_DEEP
    return _unsound(value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _WrongLineError("duplicate-key", f"the key `{key[:60]}` stands twice in one object")
        found[key] = value
    return found


def _constant(name: str) -> Any:
    raise _WrongLineError("invalid-json", f"{name} is not JSON; write null, or leave the field out")


def _number(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _WrongLineError("invalid-json", f"the number {digits[:40]} is too large")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_number, parse_int=_number)


def _syntax(text: str, error: json.JSONDecodeError) -> Fault:
    rest = text[error.pos :]
    is_cut_escape = error.msg.startswith("Invalid \\u") and len(rest) < len("\\u0000")
    if error.msg.startswith("Unterminated string") or is_cut_escape:
        return Fault("truncated", "the line ends in the middle of a string")
    if not rest or rest in _BEGINNINGS:
        whole = "a list" if text.lstrip().startswith("[") else "an object"
        return Fault("truncated", f"the line ends in the middle of {whole}")
    where = f"at character {error.pos + 1}: {rest[:20]!r}"
    if error.msg == "Extra data":
        return Fault("invalid-json", f"something follows the end of the object, {where}")
    what = error.msg.removesuffix(" at")
    return Fault("invalid-json", f"the line is not JSON: {what[0].lower()}{what[1:]} {where}")


def _unsound(value: Any) -> Fault | None:
    """Return the fault of a value whose syntax is right."""
    try:
        text = json.dumps(value, ensure_ascii=False)
        text.encode()
    except RecursionError:
        return TOO_DEEP
    except UnicodeEncodeError as error:
        code = ord(error.object[error.start])
        return Fault("invalid-encoding", f"half of a character, \\u{code:04x}: a lone surrogate")
    return TOO_DEEP if _depth(value) > MAX_DEPTH else None


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [child for container in level for child in _children(container)]:
        depth += 1
    return depth


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
