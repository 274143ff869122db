"""Results that a later try of a stage continues with: whole lines are kept, a cut one is not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ftrun.utils.jsonl import read_lines
from ftrun_plugins.evaluation.resumable_jsonl import ResumableJsonl

FIRST, SECOND = b'{"index": 4, "text": "a"}\n', '{"index": 7, "text": "ä"}\n'.encode()


@pytest.mark.parametrize(
    ("content", "kept", "found"),
    [
        (None, None, {}),
        (b"", b"", {}),
        (FIRST + SECOND, FIRST + SECOND, {4: "a", 7: "ä"}),
        (FIRST + SECOND[:-1], FIRST, {4: "a"}),
        (FIRST + SECOND[:-4], FIRST, {4: "a"}),  # cut inside of a character
        (FIRST[:-1], b"", {}),
        (FIRST + SECOND[:-4] + FIRST, FIRST, {4: "a"}),  # the disk was full for a moment
        (FIRST + b"\0" * 40 + b"\n" + SECOND, FIRST, {4: "a"}),
        (FIRST + b"[1]\n{}\n", FIRST, {4: "a"}),
    ],
    ids=[
        "no file",
        "empty",
        "whole",
        "no line end",
        "half a character",
        "nothing whole",
        "cut inside",
        "zeros",
        "other",
    ],
)
def test_what_an_earlier_try_left(
    content: bytes | None, kept: bytes | None, found: dict[int, str], tmp_path: Path
) -> None:
    path = tmp_path / "scores.jsonl"
    if content is not None:
        path.write_bytes(content)
    assert {index: line["text"] for index, line in ResumableJsonl(path).lines.items()} == found
    assert (path.read_bytes() if path.exists() else None) == kept


def test_a_line_is_written_as_soon_as_it_is_added(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_bytes(FIRST + SECOND[:-1])
    kept = ResumableJsonl(path)
    line = {"index": 7, "text": "ä"}
    assert kept.add(line) is line
    assert path.read_bytes() == FIRST + SECOND
    assert kept.lines[7] == line
    assert ResumableJsonl(path).lines == kept.lines


def test_lines_of_several_threads_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    kept = ResumableJsonl(path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda index: kept.add({"index": index, "text": "x" * 100}), range(200)))
    assert sorted(line["index"] for line in read_lines(path)) == list(range(200))
