"""Mixes the rows of several streams: by weight or in turns, the same way each time, holding one row of each.

The k-th row of a stream, counted from 0, is due at (k + 1/2) / weight. The row that is due first comes next; where two
are due at one time, that of the stream that was named first. So the shares hold from the beginning to the end and not
only on average, and there is nothing to seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heapify, heapreplace
from typing import Literal, Protocol

from ftrun.api.rows import Row
from ftrun.api.sources import BadRow

Strategy = Literal["first_exhausted", "all_exhausted"]


class Passable(Protocol):
    """Rows that can be read several times."""

    @property
    def weight(self) -> float | None: ...

    def one_pass(self) -> Iterator[Row | BadRow]: ...


class Mix:
    """Iterates over pairs of a stream's number and a row of it. A bad row takes nobody's turn.

    Without weights every stream is read whole, in turns. With weights the mix ends as the first stream that is due has
    no more rows, or, with `all_exhausted`, streams begin again until each has been read whole.
    """

    def __init__(self, streams: Sequence[Passable], strategy: Strategy) -> None:
        self._streams = streams
        self._strategy = strategy if all(stream.weight for stream in streams) else None
        self.passes = [0] * len(streams)  # begun so far
        self.ended_by: int | None = None  # the stream that ran out and so ended the mix

    def __iter__(self) -> Iterator[tuple[int, Row | BadRow]]:
        if len(self._streams) == 1:
            self.passes[0] = 1
            yield from ((0, row) for row in self._streams[0].one_pass())
            return
        steps = [1 / stream.weight if self._strategy and stream.weight else 1.0 for stream in self._streams]
        passes = [self._one_pass(number) for number in range(len(steps))]
        due = [(step / 2, number, 1) for number, step in enumerate(steps)]  # when, whose, and its how manieth row
        heapify(due)
        left = set(range(len(steps)))  # not yet read whole
        while due:
            _, number, count = due[0]
            found = False
            for row in passes[number]:
                yield number, row
                if found := isinstance(row, Row):
                    break
            if found:
                heapreplace(due, ((count + 0.5) * steps[number], number, count + 1))
                continue
            left.discard(number)
            if self._strategy is None:
                due = [other for other in due if other[1] != number]
                heapify(due)
            elif self._strategy == "first_exhausted" or not left or (count == 1 and self.passes[number]):
                self.ended_by = number
                return
            else:
                passes[number] = self._one_pass(number)

    def _one_pass(self, number: int) -> Iterator[Row | BadRow]:
        self.passes[number] += 1
        return self._streams[number].one_pass()
