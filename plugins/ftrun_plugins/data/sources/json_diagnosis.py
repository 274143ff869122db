"""Diagnosis of bad lines of JSON. Exact but slow, so it is used only for lines that are bad or suspect."""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple

MAX_DEPTH = 100  # levels; deeper data is a mistake, and trainers cannot store it in tables
BOM = "\ufeff"
# End of a line that was cut inside a word or a number.
_BEGINNINGS = {word[:end] for word in ("true", "false", "null") for end in range(1, len(word))}
_BEGINNINGS |= {"-", ".", "e", "E", "e-", "e+", "E-", "E+"}


class Fault(NamedTuple):
    """Error code of `docs/reference/errors.md`, and reason."""

    code: str
    reason: str


TOO_DEEP = Fault("too-deep", f"the row is nested more than {MAX_DEPTH} levels deep")


class _WrongLineError(Exception):
    """Error that carries a fault out of the callbacks of the parser."""

    def __init__(self, code: str, reason: str) -> None:
        self.fault = Fault(code, reason)
        super().__init__(reason)


def find_fault(line: bytes) -> Fault | None:
    """Return the reason why a line is not a valid JSON object, or None if no fault is found."""
    if b"\0" in line:
        return Fault("invalid-encoding", "the line holds NUL bytes: it is binary data, not text")
    try:
        text = line.decode().rstrip()
    except UnicodeDecodeError as error:
        reason = f"the line is not UTF-8: byte 0x{line[error.start]:02x} at position {error.start + 1}"
        return Fault("invalid-encoding", reason)
    if text.lstrip().startswith(BOM):
        return Fault("invalid-encoding", "there is a byte order mark (BOM) in the middle of the file")
    try:
        value = _DECODER.decode(text)
    except _WrongLineError as error:
        return error.fault
    except json.JSONDecodeError as error:
        return _describe_syntax_error(text, error)
    except RecursionError:
        return TOO_DEEP
    return _find_value_fault(value)


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise _WrongLineError("duplicate-key", f"the key `{key[:60]}` occurs twice in one object")
        result[key] = value
    return result


def _reject_constant(name: str) -> Any:
    raise _WrongLineError("invalid-json", f"{name} is not JSON; write null, or remove the field")


def _parse_number(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _WrongLineError("invalid-json", f"the number {digits[:40]} is too large")
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_build_object, parse_constant=_reject_constant, parse_float=_parse_number, parse_int=_parse_number
)


def _describe_syntax_error(text: str, error: json.JSONDecodeError) -> Fault:
    rest = text[error.pos :]
    is_cut_escape = error.msg.startswith("Invalid \\u") and len(rest) < len("\\u0000")
    if error.msg.startswith("Unterminated string") or is_cut_escape:
        return Fault("truncated", "the line ends in the middle of a string")
    if not rest or rest in _BEGINNINGS:
        container = "a list" if text.lstrip().startswith("[") else "an object"
        return Fault("truncated", f"the line ends in the middle of {container}")
    position = f"at character {error.pos + 1}: {rest[:20]!r}"
    if error.msg == "Extra data":
        return Fault("invalid-json", f"there is more text after the object, {position}")
    what = error.msg.removesuffix(" at")
    return Fault("invalid-json", f"the line is not JSON: {what[0].lower()}{what[1:]} {position}")


def _find_value_fault(value: Any) -> Fault | None:
    """Return the fault of a value with valid syntax, or None."""
    try:
        text = json.dumps(value, ensure_ascii=False)
        text.encode()
    except RecursionError:
        return TOO_DEEP
    except UnicodeEncodeError as error:
        code = ord(error.object[error.start])
        return Fault("invalid-encoding", f"\\u{code:04x} is a lone surrogate, which is half of a character")
    return TOO_DEEP if _measure_depth(value) > MAX_DEPTH else None


def _measure_depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [child for container in level for child in _list_children(container)]:
        depth += 1
    return depth


def _list_children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
