from __future__ import annotations

import hashlib
import importlib
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ftrun.api.context import Reporter, StageContext, Stopped, StopRequest
from ftrun.api.dataset import Dataset
from ftrun.api.errors import MOST_PROBLEMS, InvalidInput, Problem
from ftrun.api.issues import Issue
from ftrun.api.recipe import Recipe, Split
from ftrun.api.rows import Row, Text
from ftrun.api.stage_call import EnvironmentRef, StageCall
from ftrun.planning.planner import Planner
from ftrun.plugins.manager import Plugins
from ftrun.utils.digests import FileDigests
from ftrun_plugins.data.format import plugin as formatting_plugin
from ftrun_plugins.data.format.holdout import Splitter
from ftrun_plugins.data.format.stage import Format
from ftrun_plugins.data.formatters import plugin as formatters_plugin
from ftrun_plugins.data.sources import plugin as sources_plugin
from helpers.catalogue.case import is_about

THIRD_PARTY = """
from ftrun import hookimpl
from ftrun.api.sources import InputFile
from ftrun.api.rows import Chat, Options, Row, Segments, Text


class Odd:
    name = "odd"

    class Options(Options):
        pass

    def format(self, row, options):
        makes = {
            "raises": lambda: row.values["x"],
            "none": lambda: None,
            "text": lambda: Text("a"),
            "no text": lambda: Text(""),
            "segments": lambda: Segments((("a", False), ("b", True))),
            "untrained": lambda: Segments((("a", False), ("", True))),
            "no assistant": lambda: Chat(()),
            "half": lambda: Text(chr(0xD83D)),
            "quotes half": lambda: row.values[chr(0xD83D)],
        }
        if row.values["makes"].startswith("says"):
            raise ValueError(row.values["makes"])
        return makes[row.values["makes"]]()


class Given:
    name = "given"

    class Options(Options):
        values: list

    def externals(self, options):
        return []

    def rows(self, options, files):
        yield from (Row({"makes": value}, "given", line) for line, value in enumerate(options.values, 1))


@hookimpl
def ftrun_register_formatters(register):
    register(Odd)


@hookimpl
def ftrun_register_sources(register):
    register(Given)
"""


class Workshop:
    """Plans and runs the stage as the scheduler does, in process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.plugins = Plugins()
        for module in (sources_plugin, formatters_plugin, formatting_plugin, importlib.import_module("odd_plugin")):
            self.plugins.load(module, module.__name__, "tests")
        self.runs = 0

    def write(self, name: str, rows: Sequence[Any]) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    def recipe(self, source: Path | dict[str, Any] | None, formatter: Any = "completion", **dataset: Any) -> Recipe:
        named = {"name": "jsonl", "path": str(source)} if isinstance(source, Path) else source
        made = {"name": formatter} if isinstance(formatter, str) else formatter
        values = {"source": named, "formatter": made, **dataset}
        return Recipe.model_validate(
            {"name": "test", "model": {"base_model": "m"}, "dataset": values, "backend": {"name": "none"}}
        )

    def plan(self, recipe: Recipe, fetched: Sequence[StageCall] = ()) -> StageCall:
        digests = FileDigests(self.root / "digests.json")
        planning = Planner(recipe, self.plugins, SimpleNamespace(), digests)  # type: ignore[arg-type]
        planning.calls.extend(fetched)
        (call,) = Format().plan(recipe, planning)
        return StageCall.model_validate_json(call.model_dump_json())  # as it travels to the stage's process

    def run(self, call: StageCall, inputs: dict[str, Path] | None = None, stop: bool = False) -> Artifact:
        self.runs += 1
        output = self.root / f"output{self.runs}"
        output.mkdir()
        report = Reporter("format", output / "events")
        request = StopRequest()
        request.requested = stop
        files = {digest: Path(path) for digest, path in call.files.items()}
        Format().run(call, StageContext(output, self.root, inputs or {}, files, report, request))
        return Artifact(output)

    def format(self, *arguments: Any, **dataset: Any) -> Artifact:
        return self.run(self.plan(self.recipe(*arguments, **dataset)))

    def refused(self, *arguments: Any, **dataset: Any) -> tuple[Problem, ...]:
        with pytest.raises(InvalidInput) as refused:
            self.format(*arguments, **dataset)
        return refused.value.problems


class Artifact:
    """What the stage left behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def lines(self, name: str) -> list[Any]:
        return [json.loads(line) for line in (self.folder / name).read_bytes().splitlines()]

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "report.json").read_bytes())
        return found

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.lines("events") if event["kind"] == kind]


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "odd_plugin.py").write_text(THIRD_PARTY)
    monkeypatch.syspath_prepend(tmp_path / "modules")
    monkeypatch.delitem(sys.modules, "odd_plugin", raising=False)
    return Workshop(tmp_path)


def findings(recipe: Recipe) -> list[Issue]:
    return list(formatting_plugin.ftrun_check_recipe(recipe))


def texts(count: int) -> list[dict[str, str]]:
    return [{"text": f"text {index}", "group": f"g{index // 3}"} for index in range(count)]


def chat(question: str, **columns: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": "yes"}]
    return {"messages": messages, **columns}


# What it writes


def test_chat_examples_with_their_places_and_tools(workshop: Workshop) -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    rows = [chat("é?"), "", chat("b?", tools=tools, id=7)]

    artifact = workshop.format(workshop.write("data.jsonl", rows), "chat")

    assert artifact.lines("train.jsonl") == [
        {"place": "data.jsonl:1", "messages": rows[0]["messages"]},  # type: ignore[index]
        {"place": "data.jsonl:3", "messages": rows[2]["messages"], "tools": tools},  # type: ignore[index]
    ]
    assert artifact.lines("held_out.jsonl") == []
    assert not (artifact.folder / "rejected.jsonl").exists()


def test_segments_and_text(workshop: Workshop) -> None:
    data = workshop.write("data.jsonl", [{"q": "a", "a": "b"}])
    template = {"name": "template", "prompt": "{q}?", "answer": "{a}"}

    assert workshop.format(data, template).lines("train.jsonl") == [
        {"place": "data.jsonl:1", "segments": [{"text": "a?", "label": False}, {"text": "b", "label": True}]}
    ]
    assert workshop.format(data, {"name": "completion", "field": "q"}).lines("train.jsonl") == [
        {"place": "data.jsonl:1", "text": "a"}
    ]


def test_the_report_counts(workshop: Workshop) -> None:
    data = workshop.write("data.jsonl", [*texts(9), {"txet": 1}, {"txet": 2}, "[1"])

    artifact = workshop.format(data, on_bad_row="skip")

    sha256 = hashlib.sha256(data.read_bytes()).hexdigest()
    files = [{"name": "data.jsonl", "sha256": sha256}]
    unread = {"column": "group", "rows": 9, "place": "data.jsonl:1", "example": '"g0"'}
    assert artifact.report == {
        "kind": "text",
        "train": 9,
        "held_out": 0,
        "rejected": 3,
        "reasons": {
            "there is no column …: the row has …; did you mean …?": 2,
            "the line ends in the middle of a list": 1,
        },
        "sources": [{"role": "source", "name": "jsonl", "rows": 12, "files": files, "unread_columns": [unread]}],
        "notes": ['columns that `completion` does not read: `group` (9 rows, for example "g0")'],
    }
    assert artifact.events("progress")[-1]["step"] == 12


# The split


def test_a_split_holds_out_about_the_share_and_keeps_the_raw_rows(workshop: Workshop) -> None:
    rows = texts(2000)

    artifact = workshop.format(workshop.write("data.jsonl", rows), split={"held_out": 0.1})

    held_out, raw = artifact.lines("held_out.jsonl"), artifact.lines("held_out.rows.jsonl")
    assert 150 < len(held_out) < 250
    assert len(held_out) + len(artifact.lines("train.jsonl")) == 2000
    assert [rows[int(example["place"].split(":")[1]) - 1] for example in held_out] == raw
    assert [example["text"] for example in held_out] == [row["text"] for row in raw]


def held_out_texts(workshop: Workshop, rows: list[dict[str, str]], **split: Any) -> set[str]:
    artifact = workshop.format(workshop.write("data.jsonl", rows), split={"held_out": 0.3, **split})
    return {example["text"] for example in artifact.lines("held_out.jsonl")}


def test_the_split_depends_on_content_and_seed_alone(workshop: Workshop) -> None:
    rows = texts(300)
    shuffled = [dict(reversed(row.items())) for row in random.Random(1).sample(rows, len(rows))]

    first = held_out_texts(workshop, rows)

    assert held_out_texts(workshop, shuffled) == first
    assert held_out_texts(workshop, rows[:150]) == first & {row["text"] for row in rows[:150]}
    assert held_out_texts(workshop, rows, seed=1) != first


def test_equal_rows_and_equal_groups_fall_on_one_side(workshop: Workshop) -> None:
    rows = texts(300)
    twice = workshop.format(workshop.write("data.jsonl", rows + rows), split={"held_out": 0.3})
    assert not sides(twice, "text") & sides(twice, "text", train=True)

    held_out = held_out_texts(workshop, rows, by="group")
    groups = {row["group"] for row in rows if row["text"] in held_out}
    assert held_out == {row["text"] for row in rows if row["group"] in groups}


def sides(artifact: Artifact, key: str, train: bool = False) -> set[str]:
    return {example[key] for example in artifact.lines("train.jsonl" if train else "held_out.jsonl")}


def test_the_split_of_known_rows_stays_as_it_is() -> None:
    """Another split of the same data would make old evaluations incomparable: raise the stage's version with it."""
    splitter = Splitter(Split(held_out=0.5, seed=3))

    sides = [splitter.side(Row({}, "x", 1), Text(f"Text {index}")) == "held_out" for index in range(8)]

    assert sides == [False, True, True, False, False, True, False, False]


def test_a_row_without_the_field_of_the_split_is_bad(workshop: Workshop) -> None:
    data = workshop.write("data.jsonl", [{"text": "a", "group": 1}, {"text": "b"}])

    problems = workshop.refused(data, split={"held_out": 0.5, "by": "group"})

    assert (problems[1].code, problems[1].at) == ("bad-row", "data.jsonl:2")
    assert "`group`" in problems[1].what


def test_a_source_of_its_own_is_held_out_whole(workshop: Workshop) -> None:
    data = workshop.write("data.jsonl", texts(5))
    other = workshop.write("other/data.jsonl", [{"text": "x"}, {"text": "y"}])

    artifact = workshop.format(data, held_out={"name": "jsonl", "path": str(other)})

    assert artifact.lines("held_out.rows.jsonl") == [{"text": "x"}, {"text": "y"}]
    assert len(artifact.lines("train.jsonl")) == 5
    assert [(source["role"], source["rows"]) for source in artifact.report["sources"]] == [
        ("source", 5),
        ("held_out", 2),
    ]


def test_a_split_and_a_held_out_source_disagree(workshop: Workshop) -> None:
    data = workshop.write("data.jsonl", texts(5))
    both = workshop.recipe(data, held_out={"name": "jsonl", "path": str(data)}, split={"held_out": 0.1})

    (finding,) = findings(both)

    assert finding.path == ("dataset", "split", "held_out")
    assert finding.also == (("dataset", "held_out"),)
    assert not findings(workshop.recipe(data, split={"held_out": 0.1}))


def test_no_held_out_row_is_warned_of_and_no_training_row_refused(workshop: Workshop) -> None:
    data = workshop.write("data.jsonl", texts(3))

    artifact = workshop.format(data, split={"held_out": 1e-9})
    (problem,) = workshop.refused(data, split={"held_out": 1 - 1e-9})

    assert artifact.events("warning")[0]["text"].startswith("none of 3 rows is held out")
    assert is_about(problem.code, problem.what, "no-rows all 3 rows are held out")


# The limit


def test_a_limit_takes_the_first_rows_and_no_row_behind_it_is_looked_at(workshop: Workshop) -> None:
    data = workshop.write("data.jsonl", [*texts(3), "[1"])

    artifact = workshop.format(data, limit=3)

    assert [example["place"] for example in artifact.lines("train.jsonl")] == [f"data.jsonl:{n}" for n in (1, 2, 3)]
    assert artifact.report["sources"][0]["rows"] == 3
    assert workshop.refused(data, limit=4)[1].at == "data.jsonl:4"


def test_the_limit_bounds_the_rows_that_are_split(workshop: Workshop) -> None:
    artifact = workshop.format(workshop.write("data.jsonl", texts(200)), limit=100, split={"held_out": 0.3})

    assert len(artifact.lines("train.jsonl")) + len(artifact.lines("held_out.jsonl")) == 100


@pytest.mark.parametrize(
    ("limits", "train", "held_out"),
    [
        ({}, 9, 6),
        ({"limit": 5}, 5, 5),
        ({"limit": 2, "held_out_limit": 4}, 2, 4),
        ({"held_out_limit": 1}, 9, 1),
        ({"limit": 20}, 9, 6),
    ],
)
def test_a_held_out_source_has_the_limit_too_or_its_own(
    limits: dict[str, int], train: int, held_out: int, workshop: Workshop
) -> None:
    data, other = workshop.write("data.jsonl", texts(9)), workshop.write("other.jsonl", texts(6))

    artifact = workshop.format(data, held_out={"name": "jsonl", "path": str(other)}, **limits)

    assert (len(artifact.lines("train.jsonl")), len(artifact.lines("held_out.jsonl"))) == (train, held_out)


def test_a_limit_of_held_out_rows_needs_their_source(workshop: Workshop) -> None:
    (finding,) = findings(workshop.recipe(workshop.write("data.jsonl", []), held_out_limit=3))

    assert finding.path == ("dataset", "held_out_limit")


def test_keys_of_recipes_without_later_parameters_stay(workshop: Workshop) -> None:
    """A parameter that is not set is not in the key: a newer ftrun formats nothing again."""
    params = workshop.plan(workshop.recipe(workshop.write("data.jsonl", texts(1)))).params

    assert set(params) == {"source", "held_out", "formatter", "split", "on_bad_row"}


# Bad rows


def test_bad_rows_stop_it_all_at_once_with_their_places(workshop: Workshop) -> None:
    rows = [chat("a"), '{"messages": [', {"messages": []}, chat("b"), {"prompt": "c"}]

    problems = workshop.refused(workshop.write("data.jsonl", rows), "chat")

    assert [(problem.code, problem.at) for problem in problems] == [
        ("bad-rows", None),
        ("truncated", "data.jsonl:2"),
        ("empty-value", "data.jsonl:3"),
        ("missing-value", "data.jsonl:5"),
    ]
    assert problems[0].what.startswith("3 of 5 rows")


def test_one_reason_is_told_once_with_its_first_rows_and_their_number(workshop: Workshop) -> None:
    data = workshop.write("data.jsonl", [{"text": ""}] * 5000)

    problems = workshop.refused(data)

    assert [problem.code for problem in problems] == ["bad-rows", "empty-value"]
    assert problems[0].what == "5000 of 5000 rows are bad"
    assert problems[1].at == "data.jsonl:1, data.jsonl:2, data.jsonl:3 and 4,997 similar rows"


def test_many_reasons_are_all_counted_and_the_first_shown(workshop: Workshop) -> None:
    letters = [chr(ord("a") + number) for number in range(25)]
    values = [f"says {letter * 3}" for letter in letters]

    problems = workshop.refused({"name": "given", "values": values}, "odd")

    assert len(problems) == MOST_PROBLEMS
    assert problems[0].what == "25 of 25 rows are bad; the first 19 of 25 reasons are:"


def test_skipped_rows_are_in_a_file_and_in_a_warning(workshop: Workshop) -> None:
    data = workshop.write("data.jsonl", [*texts(2), {"text": None, "more": "x" * 500}, '{"a": NaN}'])

    artifact = workshop.format(data, on_bad_row="skip")

    first, second = artifact.lines("rejected.jsonl")
    assert (first["place"], first["code"]) == ("data.jsonl:3", "wrong-type")
    assert first["raw"].startswith('{"text": null')
    assert len(first["raw"]) == 200
    assert second["place"] == "data.jsonl:4"
    (warning,) = artifact.events("warning")
    assert warning["text"] == "2 of 4 rows were left out: see rejected.jsonl"


def test_skipping_every_row_is_refused_with_the_reasons(workshop: Workshop) -> None:
    problems = workshop.refused(workshop.write("data.jsonl", [{"a": 1}] * 2), on_bad_row="skip")

    assert [problem.at for problem in problems] == [None, "data.jsonl:1, data.jsonl:2"]


@pytest.mark.parametrize(
    ("makes", "reason"),
    [
        ("raises", "formatter-error KeyError: 'x'"),
        ("none", "invalid-example NoneType"),
        ("no text", "invalid-example"),
        ("untrained", "invalid-example"),
        ("no assistant", "invalid-example"),
        ("half", "invalid-example UTF-8"),
        ("quotes half", "formatter-error KeyError"),
    ],
)
def test_a_formatter_at_fault_is_told_by_row(makes: str, reason: str, workshop: Workshop) -> None:
    problems = workshop.refused({"name": "given", "values": ["text", makes]}, "odd")

    assert problems[1].at == "given:2"
    assert is_about(problems[1].code, problems[1].what, reason)


def test_two_kinds_of_examples_are_refused(workshop: Workshop) -> None:
    (problem,) = workshop.refused({"name": "given", "values": ["text", "segments"]}, "odd")

    assert (problem.code, problem.at) == ("mixed-rows", "given:2")
    assert "given:1" in problem.what


def test_a_source_without_rows_is_refused(workshop: Workshop) -> None:
    (problem,) = workshop.refused({"name": "given", "values": []}, "odd")

    assert problem.code == "no-rows"


def test_a_file_that_is_no_json_lines_is_refused_when_planned(workshop: Workshop) -> None:
    data = workshop.write("data.jsonl", ["[1, 2]"])

    with pytest.raises(InvalidInput, match="JSON array"):
        workshop.plan(workshop.recipe(data))


def test_it_stops_when_asked_to(workshop: Workshop) -> None:
    call = workshop.plan(workshop.recipe(workshop.write("data.jsonl", texts(3))))

    with pytest.raises(Stopped):
        workshop.run(call, stop=True)


# Parts, filters and a shuffle


def parts(workshop: Workshop, sizes: dict[str, int], **more: Any) -> dict[str, Any]:
    """A part of so many rows each, under its name; `more` are further keys of each part by its name."""
    found = {}
    for name, size in sizes.items():
        data = workshop.write(
            f"{name}/data.jsonl", [{"text": f"{name} {number}", "n": number} for number in range(size)]
        )
        found[name] = {"source": {"name": "jsonl", "path": str(data)}, **more.get(name, {})}
    return found


def mixture(workshop: Workshop, named: dict[str, Any], **dataset: Any) -> Recipe:
    return workshop.recipe(None, dataset.pop("formatter", "completion"), parts=named, **dataset)


def test_a_mix_by_weight_ends_with_the_part_that_runs_out(workshop: Workshop) -> None:
    named = parts(workshop, {"a": 30, "b": 100}, a={"weight": 1}, b={"weight": 2})

    artifact = workshop.run(workshop.plan(mixture(workshop, named)))

    by_part = Counter(example["place"].split("/")[0] for example in artifact.lines("train.jsonl"))
    assert by_part == {"a": 30, "b": 61}
    assert artifact.lines("train.jsonl")[0] == {"place": "b/data.jsonl:1", "text": "b 0"}
    assert artifact.report["mix_ended_by"] == "a"
    assert [(source["part"], source["rows"], source["train"]) for source in artifact.report["sources"]] == [
        ("a", 30, 30),
        ("b", 61, 61),
    ]


def test_parts_without_weights_are_read_whole(workshop: Workshop) -> None:
    artifact = workshop.run(workshop.plan(mixture(workshop, parts(workshop, {"a": 3, "b": 5}))))

    assert [example["place"] for example in artifact.lines("train.jsonl")] == [
        *("a/data.jsonl:1", "b/data.jsonl:1", "a/data.jsonl:2", "b/data.jsonl:2", "a/data.jsonl:3", "b/data.jsonl:3"),
        *("b/data.jsonl:4", "b/data.jsonl:5"),
    ]


def test_repeated_rows_are_held_out_once_and_rejected_once(workshop: Workshop) -> None:
    named = parts(workshop, {"a": 20, "b": 200}, a={"weight": 1}, b={"weight": 1})
    workshop.write("a/data.jsonl", [*({"text": f"a {number}"} for number in range(19)), {"text": ""}])
    recipe = mixture(
        workshop, named, stopping_strategy="all_exhausted", split={"held_out": 0.3}, on_bad_row="skip", shuffle=1
    )

    artifact = workshop.run(workshop.plan(recipe))

    held_out = [example["text"] for example in artifact.lines("held_out.jsonl")]
    assert len(held_out) == len(set(held_out))
    assert not set(held_out) & {example["text"] for example in artifact.lines("train.jsonl")}
    assert artifact.report["rejected"] == 1
    first = artifact.report["sources"][0]
    assert first["passes"] >= 10
    assert first["train"] > 100


def test_each_part_may_have_its_own_formatter_held_out_rows_split_and_filters(workshop: Workshop) -> None:
    other = workshop.write("other.jsonl", texts(4))
    named = parts(
        workshop,
        {"a": 10, "b": 10},
        a={"held_out": {"name": "jsonl", "path": str(other)}, "formatter": {"name": "completion", "field": "text"}},
        b={"split": {"held_out": 0.5}, "filters": [{"column": "n", "min": 4}], "limit": 5},
    )

    artifact = workshop.run(workshop.plan(mixture(workshop, named, split={"held_out": 0.9})))

    by_part = {(source["part"], source["role"]): source for source in artifact.report["sources"]}
    assert (by_part["a", "source"]["train"], by_part["a", "source"]["held_out"]) == (10, 0)
    assert by_part["a", "held_out"]["held_out"] == 4
    assert by_part["b", "source"]["rows"] == 5
    assert 0 < by_part["b", "source"]["held_out"] < 5
    assert artifact.report["filters"] == {"n min 4": 4}


def test_the_order_in_which_parts_are_named_changes_nothing(workshop: Workshop) -> None:
    named = parts(workshop, {"a": 3, "b": 3}, a={"weight": 1}, b={"weight": 3})

    here, there = (workshop.plan(mixture(workshop, dict(order))) for order in (named.items(), reversed(named.items())))

    assert here.key == there.key


def test_the_limit_bounds_the_mix_and_every_part_has_its_turn(workshop: Workshop) -> None:
    artifact = workshop.run(workshop.plan(mixture(workshop, parts(workshop, {"a": 50, "b": 50}), limit=10)))

    assert [(source["part"], source["rows"]) for source in artifact.report["sources"]] == [("a", 5), ("b", 5)]


def test_filters_come_before_the_shuffle_and_that_before_the_limit(workshop: Workshop) -> None:
    data = workshop.write("data.jsonl", [{"text": f"t{number}", "n": number} for number in range(100)])
    wanted = {"filters": [{"column": "n", "min": 50}], "shuffle": 3, "limit": 20}

    once, again = workshop.format(data, **wanted), workshop.format(data, **wanted)

    lines = [int(example["place"].split(":")[1]) for example in once.lines("train.jsonl")]
    assert len(lines) == 20
    assert min(lines) > 50
    assert lines != sorted(lines)
    assert once.lines("train.jsonl") == again.lines("train.jsonl")
    assert {event["removed by n min 50"] for event in once.events("metric")} == {50}


@pytest.mark.parametrize("formatter", ["completion", "auto"])
def test_filters_that_leave_nothing_are_refused(formatter: str, workshop: Workshop) -> None:
    wanted = {"filters": [{"column": "txt", "equals": "x"}], "formatter": {"name": formatter}}
    total, told = workshop.refused(workshop.write("data.jsonl", texts(9)), **wanted)

    assert is_about(total.code, total.what, "no-rows all 9 rows")
    assert told.did_you_mean == ("text",)


def test_a_part_without_rows_is_refused(workshop: Workshop) -> None:
    named = parts(workshop, {"a": 3})
    named["b"] = {"source": {"name": "given", "values": []}}

    with pytest.raises(InvalidInput, match="the source of part `b` has no rows"):
        workshop.run(workshop.plan(mixture(workshop, named)))


@pytest.mark.parametrize(
    ("dataset", "path", "what"),
    [
        ({"source": {"name": "given"}}, "dataset.source", "`dataset.source` and `dataset.parts` are both set"),
        ({"formatter": None}, "dataset.parts.a", "`dataset.parts.a.formatter` is missing"),
        ({"parts": {}}, "dataset.source", "`dataset.source` is missing"),
        ({"parts": {"a": {"weight": 2}, "b": {}}}, "dataset.parts.b", "`dataset.parts.b` has no weight, but `a` has"),
        ({"parts": {"../a": {}}}, "dataset.parts.../a", "`../a`"),
        (
            {"parts": {"a": {"held_out": {"name": "given"}, "split": {"held_out": 0.1}}}},
            "dataset.parts.a.split.held_out",
            "`dataset.parts.a.split.held_out` is 0.1, but `dataset.parts.a.held_out`",
        ),
    ],
)
def test_keys_that_contradict_each_other_are_found(
    dataset: dict[str, Any], path: str, what: str, workshop: Workshop
) -> None:
    named = {name: {"source": {"name": "given"}, **part} for name, part in dataset.pop("parts", {"a": {}}).items()}
    values = {"formatter": {"name": "completion"}, "parts": named, **dataset}
    recipe = workshop.recipe({"name": "given"}).model_copy(update={"dataset": Dataset.model_validate(values)})

    (finding,) = findings(recipe)

    assert ".".join(map(str, finding.path)) == path
    assert finding.what.startswith(what)


# The key


def test_the_key_holds_contents_and_no_places(workshop: Workshop) -> None:
    here = workshop.plan(workshop.recipe(workshop.write("here/data.jsonl", texts(3))))
    there = workshop.plan(workshop.recipe(workshop.write("there/data.jsonl", texts(3))))
    changed = workshop.plan(workshop.recipe(workshop.write("there/data.jsonl", texts(4))))

    assert here.key == there.key != changed.key
    assert str(workshop.root) not in json.dumps(here.identity)
    assert set(here.components) == {"source:jsonl", "formatter:completion"}
    assert list(here.files.values()) == [str(workshop.root / "here" / "data.jsonl")]


CHANGES: dict[str, Callable[[Workshop, Path], Recipe]] = {
    "formatter": lambda workshop, data: workshop.recipe(data, "chat"),
    "formatter option": lambda workshop, data: workshop.recipe(data, {"name": "completion", "field": "x"}),
    "held out": lambda workshop, data: workshop.recipe(data, split={"held_out": 0.1}),
    "by": lambda workshop, data: workshop.recipe(data, split={"by": "x"}),
    "filters": lambda workshop, data: workshop.recipe(data, filters=[{"column": "text", "not_empty": True}]),
    "shuffle": lambda workshop, data: workshop.recipe(data, shuffle=0),
    "limit": lambda workshop, data: workshop.recipe(data, limit=2),
    "seed": lambda workshop, data: workshop.recipe(data, split={"seed": 1}),
    "on bad row": lambda workshop, data: workshop.recipe(data, on_bad_row="skip"),
    "held-out source": lambda workshop, data: workshop.recipe(data, held_out={"name": "jsonl", "path": str(data)}),
    "file name": lambda workshop, data: workshop.recipe(data.rename(data.with_name("x.jsonl"))),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_changes_the_output_changes_the_key(
    change: Callable[[Workshop, Path], Recipe], workshop: Workshop
) -> None:
    data = workshop.write("data.jsonl", texts(3))
    before = workshop.plan(workshop.recipe(data))

    assert workshop.plan(change(workshop, data)).key != before.key


def test_a_default_that_is_written_out_changes_nothing(workshop: Workshop) -> None:
    data = workshop.write("data.jsonl", texts(3))

    plain, written = workshop.recipe(data), workshop.recipe(data, {"name": "completion", "field": "text"})

    assert workshop.plan(plain).key == workshop.plan(written).key


# Downloads


def fetch(sha256: str) -> StageCall:
    return StageCall(
        stage="fetch",
        version=1,
        params={"sha256": sha256},
        environment=EnvironmentRef(name="client"),
        label=f"fetch:{sha256[:12]}",
        implementation="x:Y",
    )


def test_a_download_is_read_from_its_artifact(workshop: Workshop) -> None:
    content = workshop.write("fetched/content", texts(3))
    sha256 = hashlib.sha256(content.read_bytes()).hexdigest()
    recipe = workshop.recipe({"name": "url", "url": "https://one.example/rows.jsonl", "sha256": sha256})

    call = workshop.plan(recipe, [fetch(sha256)])
    artifact = workshop.run(call, {f"url:{sha256[:12]}": content.parent})

    assert call.inputs == {f"url:{sha256[:12]}": fetch(sha256).ref}
    assert [example["place"] for example in artifact.lines("train.jsonl")] == [
        f"rows.jsonl:{line}" for line in (1, 2, 3)
    ]


def test_another_mirror_of_the_same_content_has_the_same_key(workshop: Workshop) -> None:
    sha256 = "ab" * 32
    one, two = (
        workshop.recipe({"name": "url", "url": f"https://{host}/rows.jsonl", "sha256": sha256})
        for host in ("one.example", "two.example/mirror")
    )

    assert workshop.plan(one, [fetch(sha256)]).key == workshop.plan(two, [fetch(sha256)]).key


def test_a_download_without_its_stage_is_refused(workshop: Workshop) -> None:
    recipe = workshop.recipe({"name": "url", "url": "https://one.example/rows.jsonl", "sha256": "ab" * 32})

    with pytest.raises(InvalidInput) as refused:
        workshop.plan(recipe)

    assert refused.value.problems[0].at == "https://one.example/rows.jsonl"
    assert "`fetch`" in str(refused.value.problems[0].hint)
