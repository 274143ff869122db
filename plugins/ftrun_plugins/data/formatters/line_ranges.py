"""Line ranges of rows in short form, such as `data.jsonl:1-500, 502`."""

from __future__ import annotations

from ftrun.api.rows import Row

MOST_RANGES = 4


class Places:
    """Line ranges of rows that are added in their order. Stores the first ranges and counts all rows."""

    def __init__(self) -> None:
        self._ranges: list[tuple[str, int, int]] = []  # file, first and last line
        self.count = 0

    def add(self, row: Row) -> None:
        self.count += 1
        if self._ranges:
            file, first, last = self._ranges[-1]
            if file == row.file and row.line == last + 1:
                self._ranges[-1] = (file, first, row.line)
                return
        if len(self._ranges) <= MOST_RANGES:
            self._ranges.append((row.file, row.line, row.line))

    def __str__(self) -> str:
        texts, previous = [], None
        for file, first, last in self._ranges[:MOST_RANGES]:
            lines = str(first) if first == last else f"{first}-{last}"
            texts.append(lines if file == previous else f"{file}:{lines}")
            previous = file
        return ", ".join(texts) + (", …" if len(self._ranges) > MOST_RANGES else "")
