"""Record of bad rows: the number of rows by reason with its first rows for the error, and all rows in a file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Self

import orjson

from ftrun.api.errors import MOST_PROBLEMS, Problem
from ftrun.api.rows import Row
from ftrun.utils.excerpt import shorten
from ftrun.utils.text import MOST_PLACES, list_places, message_kind, truncate

MOST_REASONS = 20  # in `report.json`
LONGEST_ERROR = 200  # characters
LONGEST_REASON = 500  # characters
MOST_KINDS = 1000  # reasons that are counted separately; bounds the memory


class RejectedRows:
    """Bad rows of one call. The file is created with the first bad row."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._first: dict[str, Problem] = {}  # by reason
        self._places: dict[str, list[str]] = {}
        self._kinds: Counter[str] = Counter()
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, place: str, code: str, reason: str, raw: str, hint: str | None = None) -> None:
        """Count a bad row; `raw` is the beginning of its content."""
        reason = _shorten_to_line(_replace_surrogates(str(reason))) or "no reason is given"
        raw = _replace_surrogates(raw)
        self.count += 1
        kind = message_kind(reason)
        if len(self._kinds) >= MOST_KINDS and kind not in self._kinds:
            kind = "other reasons"
        self._kinds[kind] += 1
        if kind in self._first or len(self._first) < MOST_PROBLEMS - 1:  # with the total they fill one screen
            advice = hint and _shorten_to_line(_replace_surrogates(hint))
            self._first.setdefault(kind, Problem(code, reason, hint=advice))
            places = self._places.setdefault(kind, [])
            if len(places) < MOST_PLACES:
                places.append(place)
        if self._file is None:
            self._file = self._path.open("wb")
        self._file.write(orjson.dumps({"place": place, "code": code, "reason": reason, "raw": raw}) + b"\n")

    def problems(self, rows: int) -> list[Problem]:
        """Return the total, then each reason with its first rows and their number."""
        listed = len(self._first)
        first = f"; the first {listed} of {len(self._kinds)} reasons are:" if len(self._kinds) > listed else ""
        total = Problem(
            "bad-rows", f"{self.count} of {rows} rows are bad{first}", hint="fix them, or set dataset.on_bad_row=skip"
        )
        return [total, *(replace(problem, at=self._list_rows(kind)) for kind, problem in self._first.items())]

    def _list_rows(self, kind: str) -> str:
        return list_places(self._places[kind], self._kinds[kind], "similar rows")

    def reasons(self) -> dict[str, int]:
        """Return the most frequent reasons with their counts. `…` stands for names and numbers, which differ by row."""
        return dict(self._kinds.most_common(MOST_REASONS))


def row_excerpt(row: Row) -> str:
    """Return the first characters of a row's values as JSON. Never raises."""
    return json_excerpt(row.values, "the row")


def json_excerpt(value: Any, subject: str) -> str:
    """Return the first characters of a value as JSON. Never raises; the `subject` is for a value that JSON lacks."""
    try:
        raw = json.dumps(dict(value) if isinstance(value, Mapping) else value, ensure_ascii=False, default=str)
    except Exception as error:  # plugins may yield keys that are not strings, or objects that contain themselves
        raw = f"{subject} cannot be shown: {type(error).__name__}"
    return shorten(raw.encode(errors="replace"))


def error_text(error: BaseException) -> str:
    """Return the type and message of an exception, or only the type if `str(error)` raises."""
    try:
        text = str(error)[:LONGEST_ERROR]
    except Exception:
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _shorten_to_line(text: str) -> str:
    return " ".join(truncate(text, LONGEST_REASON).split())


def _replace_surrogates(text: str) -> str:
    """Replace each lone surrogate by a question mark, because UTF-8 cannot encode surrogates."""
    return text.encode(errors="replace").decode()
