"""Tokenization of many examples in several processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

from ftrun_plugins.axolotl.tokenize.tokens import Tokens

ROWS_PER_TASK = 64
MIN_ROWS_FOR_POOL = 500  # fewer rows are tokenized in this process

Example = Mapping[str, Any]
Tokenize = Callable[[Example], Tokens]


def tokenize_all(tokenize: Tokenize, examples: Iterator[Example]) -> Iterator[tuple[Example, Tokens]]:
    """Yield examples with their tokens, in order. Many examples are tokenized in forked processes.

    An example from another process has only its key `place`.
    """
    for example in islice(examples, MIN_ROWS_FOR_POOL):
        yield example, tokenize(example)
    processes = len(os.sched_getaffinity(0))
    if processes == 1:
        yield from ((example, tokenize(example)) for example in examples)
        return
    with _fork_pool(processes, tokenize) as pool:
        yield from pool.imap(_tokenize_example, examples, chunksize=ROWS_PER_TASK)


_tokenize: Tokenize | None = None


@contextmanager
def _fork_pool(processes: int, tokenize: Tokenize) -> Iterator[Any]:
    """Yield a pool of forked processes, which need not pickle the tokenizer and the strategy.

    On SIGTERM, the stage only sets a flag. The processes of the pool must not, because the pool ends them with SIGTERM.
    """
    handler = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        pool = multiprocessing.get_context("fork").Pool(processes, initializer=_set_tokenize, initargs=(tokenize,))
    finally:
        signal.signal(signal.SIGTERM, handler)
    with pool:
        yield pool


def _set_tokenize(tokenize: Tokenize) -> None:
    global _tokenize
    _tokenize = tokenize


def _tokenize_example(example: Example) -> tuple[Example, Tokens]:
    assert _tokenize is not None
    return {"place": example["place"]}, _tokenize(example)
