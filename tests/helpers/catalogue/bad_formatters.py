"""What a formatter may do wrong, by `misbehaving_formatter.py`: raise, never come back, return nonsense."""

from __future__ import annotations

from helpers.catalogue.case import Bad

RETURNED = "the formatter returned {}, not an example"
RAISED = "the formatter raised "
STUCK = "the formatter `misbehaving` has been at work on this row for 0.4 s"
MESSAGES = "the example's messages are no list of objects with a text as role"
SEGMENTS = "the example's segments are no list of pairs: a text, and whether it is trained on"
NOTHING = "the example has no text that is trained on"
NO_JSON = "it cannot be written as JSON: …"


def does(what: str, reason: str) -> Bad:
    return Bad(f"a formatter: {what}", [{"does": what}], reason, formatter={"name": "misbehaving"})


CASES = [
    does("raise", f"{RAISED}RuntimeError: no idea"),
    does("raise in lines", f"{RAISED}RuntimeError: one two three"),
    does("raise 10 MB", f"{RAISED}RuntimeError: {'x' * 200}"),
    does("raise what cannot be told", f"{RAISED}SilentError"),
    does("raise with escapes", f"{RAISED}RuntimeError: \x1b[2J?"),
    does("key error", f"{RAISED}KeyError: 'x'"),
    does("recurse", f"{RAISED}RecursionError: …"),
    does("run out of memory", f"{RAISED}MemoryError"),
    does("exit", f"{RAISED}SystemExit: 0"),
    does("stop iteration", f"{RAISED}StopIteration"),
    does("loop", STUCK),
    does("loop and catch", STUCK),
    does("match forever", STUCK),
    does("none", RETURNED.format("NoneType")),
    does("true", RETURNED.format("bool")),
    does("text", RETURNED.format("str")),
    does("row", RETURNED.format("dict")),
    does("generator", RETURNED.format("generator")),
    does("class", RETURNED.format("type")),
    does("empty text", "the example has no text"),
    does("text of bytes", "the example has no text"),
    does("text of a number", "the example has no text"),
    does("half a character", NO_JSON),
    does("100 MB", "it has 100 MB as JSON, more than 64"),
    does("reject with nothing", "no reason was given"),
    does("reject with null", "None"),
    does("reject with 10 MB", f"{'no ' * 166}n…"),
    does("messages null", MESSAGES),
    does("messages of texts", MESSAGES),
    does("messages in a text", MESSAGES),
    does("role null", MESSAGES),
    does("no assistant", "the example has no assistant message"),
    does("no message", "the example has no assistant message"),
    does("tools in a text", "the example's tools are no list"),
    does("content a set", NO_JSON),
    does("content that holds itself", NO_JSON),
    does("segments null", SEGMENTS),
    does("segments of texts", SEGMENTS),
    does("segments of threes", SEGMENTS),
    does("segments of numbers", SEGMENTS),
    does("segments untrained", NOTHING),
    does("no segment", NOTHING),
]
