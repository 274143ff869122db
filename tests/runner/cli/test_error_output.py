from __future__ import annotations

import json
from pathlib import Path

import pytest

from ftrun.api.errors import FtrunError, GateNotMet, Interrupted, InvalidInput, Problem, StageError, StoreError
from ftrun.api.paths import RunFolder
from ftrun.cli.error_output import lines, report
from ftrun.cli.progress import Display, progress_text
from ftrun.utils.suggest import nearest

GOLDEN = """\
ftrun: 2 problems

  unknown key `lora_rr` [unknown-key]
    at            r.yaml:9:5
    expected      one of lora_r, lora_alpha
    did you mean  lora_r, lora_alpha?
    hint          fix it
                  and again

  a very long finding that says a great deal about what is wrong with the recipe, so much that it does not fit
  into one line of the screen [long]
"""


def test_problems_are_one_short_screen() -> None:
    long = (
        "a very long finding that says a great deal about what is wrong with the recipe, so much that it does not fit "
        "into one line of the screen"
    )
    first = Problem(
        "unknown-key",
        "unknown key `lora_rr`",
        "r.yaml:9:5",
        "one of lora_r, lora_alpha",
        ("lora_r", "lora_alpha"),
        "fix it\nand again",
    )
    assert "\n".join(lines(InvalidInput([first, Problem("long", long)]))) + "\n" == GOLDEN


def test_a_path_is_never_broken() -> None:
    path = "/a-folder/" + "very-long-name/" * 12 + "x.yaml:1:1"
    assert path in "\n".join(lines(InvalidInput(Problem("x", "x", path))))


def test_of_many_problems_twenty_are_shown_and_the_rest_counted() -> None:
    text = "\n".join(lines(InvalidInput([Problem("x", f"problem {number}") for number in range(25)])))
    assert text.startswith("ftrun: 25 problems\n")
    assert "problem 19 [x]" in text
    assert "problem 20" not in text
    assert text.endswith("and 5 more")


def test_one_reason_at_many_places_is_told_once_with_its_count() -> None:
    same = [Problem("x", "the same", f"rows.jsonl:{line}", hint="fix it") for line in range(1, 31)]
    text = "\n".join(lines(InvalidInput([*same, Problem("x", "another", "rows.jsonl:9")])))
    assert text.startswith("ftrun: 31 problems\n")
    assert text.count("the same") == text.count("fix it") == text.count("another") == 1
    assert "rows.jsonl:1, rows.jsonl:2, rows.jsonl:3 and 27 more\n" in text


def test_one_warning_is_shown_once_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Display(RunFolder(tmp_path / "run")) as display:
        for size in range(7):
            display.show({"kind": "warning", "at": 0.0, "call": "fetch", "text": f"broke after {size} bytes"})
        display.show({"kind": "call_finished", "at": 0.0, "call": "fetch"})
    shown = capsys.readouterr().err
    assert shown.count("broke after") == 2
    assert "broke after 0 bytes" in shown
    assert "7 times" in shown


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (InvalidInput(Problem("x", "x")), "ftrun: 1 problem"),
        (StageError("train", Problem("x", "x")), "ftrun: train failed"),
        (StoreError(Problem("x", "x")), "ftrun: the store cannot be used"),
        (GateNotMet(Problem("x", "x")), "ftrun: a gate is not met"),
        (Interrupted(Problem("x", "x")), "ftrun: stopped"),
        (FtrunError(Problem("x", "x")), "ftrun: failed"),
    ],
)
def test_the_first_line_says_what_kind_of_end_it_is(error: FtrunError, title: str) -> None:
    assert next(lines(error)) == title


def test_a_problem_of_an_older_version_is_read() -> None:
    old = {"what": "it is wrong", "where": "a.yaml:1:1", "expected": None, "nearest": ["b"], "do": "fix it"}
    assert Problem.from_dict(old) == Problem("unknown", "it is wrong", "a.yaml:1:1", None, ("b",), "fix it")


def test_a_report_goes_to_people_by_stderr_and_to_programs_by_stdout(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FTRUN_DEBUG", raising=False)
    error = GateNotMet(Problem("x", "x", did_you_mean=("y",)))
    assert report(error) == report(error, as_json=True) == 3
    out, err = capsys.readouterr()
    assert err.startswith("ftrun: a gate is not met")
    assert Problem.from_dict(json.loads(out)["problems"][0]) == error.problems[0]


@pytest.mark.parametrize(
    ("event", "values", "text"),
    [
        (
            {"step": 12, "total": 86, "unit": "steps", "rate": 0.77, "seconds_left": 96.0},
            {"loss": 0.41234, "tokens_per_second": 812.0},
            "12/86 steps  1.3 s each  1m36s left  loss 0.4123  trained tokens/s 812",
        ),
        (
            {"step": 2_500_000, "total": 13_400_000, "unit": "bytes", "rate": 1e6, "seconds_left": 4000.0},
            {},
            "2.5 MB/13.4 MB  1.0 MB/s  1h06m left",
        ),
        ({"step": 30_000, "total": None, "unit": "rows", "rate": 29_999.6}, {}, "30,000 rows  30,000/s"),
        ({"step": 0, "total": None, "unit": "shards"}, {}, "0 shards"),
    ],
)
def test_progress_in_words(event: dict[str, object], values: dict[str, object], text: str) -> None:
    assert progress_text(event, values) == text


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("lora_rr", ["lora_r", "lora_alpha"], ("lora_r",)),
        ("TRAIN", ["train"], ("train",)),
        ("trian", ["train", "merge"], ("train",)),  # letters the other way round
        ("xyz", ["train", "merge"], ()),
        ("aab", ["aaa", "aac", "aad", "aae"], ("aaa", "aac", "aad")),
        ("", ["train"], ()),
    ],
)
def test_the_nearest_names(name: str, known: list[str], found: tuple[str, ...]) -> None:
    assert nearest(name, known) == found
