from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftrun.api.events import Reader, append, follow, read

WRITERS, EVENTS = 4, 300
WRITER = """
import sys
from pathlib import Path
from ftrun.api.events import append
sys.stdin.read()
for number in range({events}):
    append(Path(sys.argv[1]), "progress", sys.argv[2], number=number, filler="x" * (number * 37 % 5000))
"""


def test_an_event_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    written = [append(path, "started", "train", step=1), append(path, "note", text="two\nlines", place=Path("/x"))]
    assert written[0]["call"] == "train"
    assert written[1]["call"] is None
    assert list(read(path)) == [written[0], {**written[1], "place": "/x"}]


def test_values_may_have_any_name(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    append(path, "note", "train", path="/x", kind="other", call="other", at=0)
    (event,) = read(path)
    assert (event["kind"], event["call"], event["path"]) == ("note", "train", "/x")
    assert event["at"] > 0


def test_there_are_no_events_where_there_is_no_file(tmp_path: Path) -> None:
    assert list(read(tmp_path / "none")) == []


def test_lines_of_processes_that_write_at_once_never_mix(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    code = WRITER.format(events=EVENTS)
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(path), f"call {number}"], stdin=subprocess.PIPE)
        for number in range(WRITERS)
    ]
    for writer in writers:  # all of them begin now
        assert writer.stdin is not None
        writer.stdin.close()
    assert [writer.wait(60) for writer in writers] == [0] * WRITERS
    assert len(path.read_bytes().splitlines()) == WRITERS * EVENTS
    for number in range(WRITERS):
        own = [event["number"] for event in read(path) if event["call"] == f"call {number}"]
        assert own == list(range(EVENTS))


def test_a_line_that_a_crash_cut_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    append(path, "one")
    with path.open("ab") as file:
        file.write(b'{"at": 1, "kind": "cut\n')
        file.write(b"[1, 2]\n\n\xff\xfe\n")
    append(path, "two")
    with path.open("ab") as file:
        file.write(b'{"at": 1, "kind": "unfinished')
    assert [event["kind"] for event in read(path)] == ["one", "two"]


def test_a_full_disk_costs_one_event(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    append(path, "first")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, limits[1]))  # room for a part of the next
    try:
        with pytest.raises(OSError, match="No space left"):
            append(path, "cut")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    append(path, "after")
    append(path, "last")
    assert [event["kind"] for event in read(path)] == ["first", "after", "last"]


@given(texts=st.lists(st.text(max_size=20), max_size=8), data=st.data())
def test_a_reader_of_a_growing_file_gets_each_event_once(
    texts: list[str], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = b"".join(json.dumps({"at": 1, "kind": text, "call": None}).encode() + b"\n" for text in texts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=6)))
    path = tmp_path_factory.getbasetemp() / "growing.jsonl"
    path.write_bytes(b"")
    reader, got = Reader(path), []
    for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True):
        with path.open("ab") as file:
            file.write(content[start:end])
        got += [event["kind"] for event in reader.new()]
    assert got == texts


def test_a_follower_reads_what_came_before_the_end_was_told(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    append(path, "one")
    asked: list[None] = []

    def ended() -> bool:
        asked.append(None)
        append(path, f"ask {len(asked)}")
        return len(asked) == 3

    assert [event["kind"] for event in follow(path, ended, interval=0)] == ["one", "ask 1", "ask 2", "ask 3"]


def test_a_follower_may_begin_behind_the_old_events(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    append(path, "old")
    start = path.stat().st_size
    append(path, "new")
    assert [event["kind"] for event in follow(path, lambda: True, start=start)] == ["new"]


def test_numbers_that_json_lacks_become_null(tmp_path: Path) -> None:
    append(tmp_path / "events", "metric", "train", loss=math.nan, inner={"list": [math.inf, 1.5, "NaN"]})
    (line,) = (tmp_path / "events").read_text().splitlines()
    found = json.loads(line, parse_constant=pytest.fail)
    assert (found["loss"], found["inner"]) == (None, {"list": [None, 1.5, "NaN"]})
