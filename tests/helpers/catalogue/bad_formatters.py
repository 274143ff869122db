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
    does("raise", "formatter-error RuntimeError"),
    does("raise in lines", "formatter-error RuntimeError"),
    does("raise 10 MB", "formatter-error RuntimeError"),
    does("raise what cannot be told", "formatter-error SilentError"),
    does("raise with escapes", "formatter-error RuntimeError"),
    does("key error", "formatter-error KeyError"),
    does("recurse", "formatter-error RecursionError"),
    does("run out of memory", "formatter-error MemoryError"),
    does("exit", "formatter-error SystemExit"),
    does("stop iteration", "formatter-error StopIteration"),
    does("loop", "formatter-timeout misbehaving"),
    does("loop and catch", "formatter-timeout misbehaving"),
    does("match forever", "formatter-timeout misbehaving"),
    does("none", "invalid-example NoneType"),
    does("true", "invalid-example bool"),
    does("text", "invalid-example str"),
    does("row", "invalid-example dict"),
    does("generator", "invalid-example generator"),
    does("class", "invalid-example type"),
    does("empty text", "invalid-example"),
    does("text of bytes", "invalid-example"),
    does("text of a number", "invalid-example"),
    does("half a character", "invalid-example"),
    does("100 MB", "invalid-example"),
    does("reject with nothing", "bad-row"),
    does("reject with null", "bad-row"),
    does("reject with 10 MB", "bad-row"),
    does("messages null", "invalid-example a text"),
    does("messages of texts", "invalid-example a text"),
    does("messages in a text", "invalid-example a text"),
    does("role null", "invalid-example a text"),
    does("no assistant", "invalid-example"),
    does("no message", "invalid-example"),
    does("tools in a text", "invalid-example"),
    does("content a set", "invalid-example"),
    does("content that holds itself", "invalid-example"),
    does("segments null", "invalid-example a text"),
    does("segments of texts", "invalid-example a text"),
    does("segments of threes", "invalid-example a text"),
    does("segments of numbers", "invalid-example a text"),
    does("segments untrained", "invalid-example"),
    does("no segment", "invalid-example"),
]
