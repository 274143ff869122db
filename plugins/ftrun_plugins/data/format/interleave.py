"""Interleaving of the rows of several streams by weight or in turns: deterministic, with one row per stream in memory.

The k-th row of a stream, counted from 0, is due at (k + 1/2) / weight. The row with the earliest due time comes next.
If two rows are due at the same time, the row of the stream that was named first comes first. Therefore the shares are
right at every point of the mix, not only on average, and no seed is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heapify, heapreplace
from typing import Literal, Protocol

from ftrun.api.rows import Row
from ftrun.api.sources import BadRow

Strategy = Literal["first_exhausted", "all_exhausted"]


class Passable(Protocol):
    """Stream of rows that can be read several times."""

    @property
    def weight(self) -> float | None: ...

    def one_pass(self) -> Iterator[Row | BadRow]: ...


class Mix:
    """Iterator over pairs of the number of a stream and one of its rows.

    Without weights, each stream is read completely, in turns. With weights, the mix ends when the stream that is due
    has no more rows. With weights and `all_exhausted`, streams start again until each has been read completely. A bad
    row does not use up the turn of its stream.
    """

    def __init__(self, streams: Sequence[Passable], strategy: Strategy) -> None:
        self._streams = streams
        self._strategy = strategy if all(stream.weight for stream in streams) else None
        self.passes = [0] * len(streams)  # started so far, by stream
        self.ended_by: int | None = None  # the stream without more rows that ended the mix

    def __iter__(self) -> Iterator[tuple[int, Row | BadRow]]:
        if len(self._streams) == 1:
            self.passes[0] = 1
            for row in self._streams[0].one_pass():
                yield 0, row
            return
        steps = [1 / stream.weight if self._strategy and stream.weight else 1.0 for stream in self._streams]
        passes = [self._start_pass(number) for number in range(len(steps))]
        due = [(step / 2, number, 1) for number, step in enumerate(steps)]  # due time, stream, number of its row from 1
        heapify(due)
        unfinished = set(range(len(steps)))  # streams that were not yet read completely
        while due:
            _, number, count = due[0]
            has_good_row = False
            for row in passes[number]:
                yield number, row
                if has_good_row := isinstance(row, Row):
                    break
            if has_good_row:
                heapreplace(due, ((count + 0.5) * steps[number], number, count + 1))
                continue
            unfinished.discard(number)
            if self._strategy is None:
                due = [other for other in due if other[1] != number]
                heapify(due)
            elif self._strategy == "first_exhausted" or not unfinished or (count == 1 and self.passes[number]):
                self.ended_by = number
                return
            else:
                passes[number] = self._start_pass(number)

    def _start_pass(self, number: int) -> Iterator[Row | BadRow]:
        self.passes[number] += 1
        return self._streams[number].one_pass()
