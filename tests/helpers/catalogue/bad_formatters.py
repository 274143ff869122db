"""What a formatter may do wrong, by `misbehaving_formatter.py`: raise, never come back, return nonsense."""

from __future__ import annotations

from helpers.catalogue.case import Bad


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
    does("messages null", "invalid-example `messages`"),
    does("messages of texts", "invalid-example `messages`"),
    does("messages in a text", "invalid-example `messages`"),
    does("role null", "invalid-example `messages`"),
    does("no assistant", "invalid-example"),
    does("no message", "invalid-example"),
    does("tools in a text", "invalid-example `tools`"),
    does("content a set", "invalid-example"),
    does("content that holds itself", "invalid-example"),
    does("segments null", "invalid-example `segments`"),
    does("segments of texts", "invalid-example `segments`"),
    does("segments of threes", "invalid-example `segments`"),
    does("segments of numbers", "invalid-example `segments`"),
    does("segments untrained", "invalid-example"),
    does("no segment", "invalid-example"),
]
