"""Parts with one fault each, and the tests of their contract that have to find it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Broken:
    """A module `parts` with a faulty part, tests that inherit a contract, and the names of those that fail."""

    fault: str
    parts: str
    tests: str
    failing: tuple[str, ...]


FORMATTER = """
from ftrun.api.rows import Chat, FormatterOptions, Rejected

class Part:
    name = "broken"
    class Options(FormatterOptions):
        column: str = "text"
    def format(self, row, options):
        text = row.values.get(options.column)
        if not isinstance(text, str) or not text.strip():
            return Rejected(f"`{options.column}` is no text")
        return Chat([{"role": "user", "content": "?"}, {"role": "assistant", "content": text}])
"""
FORMATTER_TESTS = """
from ftrun.testing import FormatterContract
from parts import Part

class TestPart(FormatterContract):
    formatter = Part
    rows = [{"text": "a"}, {"text": "b"}]
"""
JUNK = "test_any_row_becomes_an_example_or_is_rejected"
FORMATTERS = [
    ("none", "", "", ()),
    ("raises on junk", "if not isinstance(text, str) or not text.strip():", "if text is None or not text.strip():",
     (JUNK, "test_a_reason_names_the_column")),
    ("names no column", 'f"`{options.column}` is no text"', '"not usable"', ("test_a_reason_names_the_column",)),
    ("several lines", 'f"`{options.column}` is no text"', 'f"`{options.column}`\\nis no text."', (JUNK,)),
    ("changes its row", "return Chat(", "row.values[options.column] = 'x'; return Chat(",
     (JUNK, "test_it_does_not_change_rows")),
    ("another outcome each time", "return Chat(", "import random; text += str(random.random()); return Chat(",
     ("test_a_row_always_has_the_same_outcome",)),
    ("open options", "class Options(FormatterOptions):", "class Options(FormatterOptions, extra='allow'):",
     ("test_its_options_are_frozen_and_closed",)),
    ("options that JSON cannot hold", "column: str = \"text\"", "column: str = \"text\"; n: float = float('nan')",
     ("test_its_options_survive_json", "test_the_stage_format_accepts_its_examples")),
    ("two options for one column", 'column: str = "text"', 'column: str = "text"; other: str = "text"',
     ("test_two_options_cannot_name_one_column",)),
    ("a heavy import", "class Part:", "import modal\nclass Part:", ("test_importing_it_is_light",)),
    ("a nested class", "class Part:", "class Part:\n    __qualname__ = 'Outer.Part'",
     ("test_another_process_finds_its_class", "test_the_stage_format_accepts_its_examples")),
    ("a bad name", '"broken"', '"Broken Name"',
     ("test_it_can_be_registered", "test_the_stage_format_accepts_its_examples")),
    ("no example", "return Chat(", "return dict(messages=",
     ("test_it_makes_examples_of_good_rows", JUNK, "test_the_stage_format_accepts_its_examples")),
    ("nobody answers", '"assistant"', '"user"',
     ("test_it_makes_examples_of_good_rows", JUNK, "test_the_stage_format_accepts_its_examples")),
    ("slow", "return Chat(", "sum(range(50_000)); return Chat(", ("test_it_is_fast",)),
]  # fmt: skip

SOURCE = """
from pathlib import Path

from ftrun.api.sources import BadRow, InputFile
from ftrun.api.errors import Problem, InvalidInput
from ftrun.api.rows import Options as Base, Row

class Part:
    name = "broken"
    class Options(Base):
        path: Path
    def externals(self, options):
        if not options.path.exists():
            raise InvalidInput(Problem("file-not-found", "there is no such file", str(options.path)))
        return [InputFile(name=options.path.name, path=options.path)]
    def rows(self, options, files):
        for name, path in files.items():
            with path.open(errors="replace") as file:
                for number, line in enumerate(file, 1):
                    if line.strip():
                        yield Row({"text": line.strip()}, name, number)
"""
SOURCE_TESTS = """
from ftrun.testing import SourceContract
from parts import Part

class TestPart(SourceContract):
    source = Part
    count = 3
    def prepare(self, folder):
        (folder / "lines.txt").write_text("a\\nb\\nc\\n")
        return {"path": folder / "lines.txt"}
    def absent(self, folder):
        return {"path": folder / "none.txt"}
"""
ANY = "test_any_content_gives_rows_or_an_error"
MOVED = "test_it_reads_nothing_but_its_files"
SOURCES = [
    ("none", "", "", ()),
    ("reads by its option", "with path.open(", "with options.path.open(", (MOVED,)),
    ("reads what it does not name", "with path.open(", "Path('lines.txt').read_text()\n            with path.open(",
     (MOVED,)),
    ("raises on bytes", 'errors="replace"', 'encoding="utf-8"', (ANY,)),
    ("places on this machine", "name, number)", "str(path.absolute()), number)",
     ("test_every_row_has_its_place", MOVED)),
    ("one place for all", "name, number)", "name, 1)", ("test_every_row_has_its_place",)),
    ("a list", "def rows(self, options, files):",
     "def rows(self, options, files):\n        return list(self.all(files))\n    def all(self, files):",
     ("test_rows_are_an_iterator",)),
    ("says nothing of a missing file", "if not options.path.exists():", "if False:",
     ("test_absent_data_is_an_error_before_a_run",)),
    ("a download without a digest", "path=options.path)]", "path=options.path), InputFile(name='x', url='http://x/')]",
     ("test_its_inputs_have_names_and_digests",)),
    ("other rows the second time", "if line.strip():",
     "type(self).n = getattr(type(self), 'n', 0) + 1\n                    if self.n % 2:",
     ("test_a_second_read_gives_the_same_rows", "test_every_row_has_its_place", MOVED)),
]  # fmt: skip

STAGE = """
from ftrun.api.planner import CallRequest
from ftrun.api.recipe import Frozen

class Params(Frozen):
    steps: int
    more: dict = {}

class Part:
    name = "broken"
    version = 1
    environment = "client"
    def plan(self, recipe, planner):
        params = Params(steps=recipe.train["max_steps"])
        return [planner.call(self, CallRequest(params))]
    def run(self, call, context):
        (context.output / "x.txt").write_text(str(call.params["steps"]))
"""
STAGE_TESTS = """
from ftrun.testing import StageContract
from ftrun.testing.harness import MODEL, TRAIN
from parts import Part

class TestPart(StageContract):
    stage = Part
    recipe = {
        "defaults": [{"override /dataset": "jsonl_chat"}],
        "model": MODEL, "dataset": {"source": {"path": "rows.jsonl"}},
        "train": {**TRAIN, "max_steps": 3}, "stages": ["broken"],
    }
    matter = ["train.max_steps=4"]
    do_not_matter = ["train.learning_rate=1"]
    runs = True
"""
RUNS = "test_a_second_run_writes_the_same_files"
CLOSED = "test_its_params_are_frozen_and_closed"
STAGES = [
    ("none", "", "", ()),
    ("params that take anything", "class Params(Frozen):",
     "from pydantic import BaseModel\nclass Params(BaseModel):", (CLOSED,)),
    ("a value beside its params", 'steps=recipe.train["max_steps"]', "steps=3",
     ("test_only_overrides_that_matter_change_a_key",)),
    ("too much in its key", 'recipe.train["max_steps"])', 'recipe.train["max_steps"], more=recipe.train)',
     ("test_only_overrides_that_matter_change_a_key",)),
    ("a plan that writes", "return [planner", "open('planned', 'a').write('x')\n        return [planner",
     ("test_a_plan_is_repeatable_and_writes_nothing",)),
    ("another key each time", 'steps=recipe.train["max_steps"]', "steps=__import__('random').getrandbits(60)",
     ("test_a_plan_is_repeatable_and_writes_nothing", "test_only_overrides_that_matter_change_a_key",
      RUNS)),
    ("a plan that takes long", "params = Params",
     "from time import process_time as now\n        end = now() + 1.2\n        while now() < end:\n            pass\n"
     "        params = Params",
     ("test_a_plan_is_cheap",)),
    ("another artifact each time", 'str(call.params["steps"])', "__import__('uuid').uuid4().hex", (RUNS,)),
    ("a foreign label", "CallRequest(params)", "CallRequest(params, label='other')",
     ("test_its_labels_begin_with_its_name",)),
    ("no version", "version = 1", "version = True", ("test_its_version_is_a_number_and_its_environment_exists",)),
    ("it raises", "(context.output", "1 / 0; (context.output", (RUNS,)),
]  # fmt: skip

EVALUATOR = """
from ftrun.api.rows import Options as Base

class Part:
    name = "broken"
    needs = "predictions"
    higher_is_better = True
    class Options(Base):
        field: str = "wanted"
    def score(self, prediction, reference, row, options):
        if options.field not in row:
            raise ValueError("the row has no `wanted`")
        return (1.0, None) if row[options.field] in prediction else (0.0, "lacks it")
    def check_row(self, reference, row, options):
        if options.field not in row:
            raise ValueError("there is no `wanted`")
"""
EVALUATOR_TESTS = """
from ftrun.testing import EvaluatorContract
from ftrun.testing.evaluator import Case
from parts import Part

class TestPart(EvaluatorContract):
    evaluator = Part
    cases = [Case("a word", {"wanted": "word"}), Case("x", {"wanted": "y"}, answer="y")]
    bad_rows = [Case("x")]
"""
ANSWER, TEXT = "test_it_scores_any_answer", "test_it_scores_any_text"
RIGHT, SAME = "test_a_right_answer_has_the_best_score", "test_a_second_score_is_the_same"
EVALUATORS = [
    ("none", "", "", ()),
    ("raises on an answer", "return (1.0", "int(prediction[:1].encode()[0]); return (1.0", (ANSWER, TEXT)),
    ("out of range", "(1.0, None)", "(7.0, None)", (RIGHT, SAME)),
    ("the reference is not good", "(1.0, None)", "(0.5, 'so so')", (RIGHT,)),
    ("another score each time", "(0.0, \"lacks it\")", "(__import__('random').random(), None)", (SAME,)),
    ("not a number", "(0.0, \"lacks it\")", "(float('nan'), None)", (SAME, ANSWER, TEXT)),
    ("keeps quiet about a bad row", 'raise ValueError("the row has no `wanted`")', "return 0.0, None",
     ("test_a_bad_row_raises_value_error",)),
    ("accepts a bad row before the training", 'raise ValueError("there is no `wanted`")', "pass",
     ("test_its_check_of_rows_agrees_with_its_scores",)),
    ("changes the row", "return (1.0", "row['seen'] = 1; return (1.0", (RIGHT, SAME, ANSWER, TEXT)),
    ("a foreign environment", "name = \"broken\"", "name = \"broken\"; environment = 'trainer'",
     ("test_its_attributes_are_valid",)),
]  # fmt: skip

BACKEND = """
from ftrun_plugins.local.backend import LocalBackend
from ftrun.api.outcome import StageOutcome

class Part(LocalBackend):
    name = "broken"
"""
BACKEND_TESTS = """
from ftrun.testing import BackendContract
from parts import Part

class TestPart(BackendContract):
    backend = Part
"""
LEAVES = "test_a_failure_is_reported_and_leaves_no_artifact"
ONCE = "test_a_call_publishes_its_artifact_and_runs_once"
KILLED = "test_a_killed_call_leaves_no_artifact_and_can_run_again"
BACKENDS = [
    ("everything is cached", "def cached(self, calls):\n        return {call.key for call in calls}",
     (ONCE, "test_a_damaged_artifact_is_not_cached", LEAVES, KILLED)),
    ("claims to be done", "def run_stage(self, call, run, stop):\n"
     "        super().run_stage(call, run, stop)\n        return StageOutcome('done')", (LEAVES, KILLED)),
    ("another digest each time", "def environment_digest(self, name):\n        return __import__('uuid').uuid4().hex",
     ("test_the_digest_of_an_environment_depends_on_its_content",)),
    ("one digest for all", "def environment_digest(self, name):\n        return 'same'",
     ("test_the_digest_of_an_environment_depends_on_its_content",)),
    ("a GPU that was not asked for", "def hardware(self, stage, resources):\n"
     "        from ftrun.api.backends import Hardware\n        return Hardware('gpu')",
     ("test_hardware_is_as_requested_or_an_error",)),
    ("half an artifact", "def run_stage(self, call, run, stop):\n"
     "        folder = self._store.artifact(call.ref)\n        folder.mkdir(parents=True, exist_ok=True)\n"
     "        return super().run_stage(call, run, stop)", (LEAVES, KILLED)),
]  # fmt: skip


def _cases(parts: str, tests: str, changes: list[tuple[str, str, str, tuple[str, ...]]]) -> list[Broken]:
    for fault, old, _, _ in changes:
        assert old in parts, fault
    return [
        Broken(fault, parts.replace(old, new) if old else parts, tests, failing) for fault, old, new, failing in changes
    ]


BROKEN = [
    *_cases(FORMATTER, FORMATTER_TESTS, FORMATTERS),
    *_cases(SOURCE, SOURCE_TESTS, SOURCES),
    *_cases(STAGE, STAGE_TESTS, STAGES),
    *_cases(EVALUATOR, EVALUATOR_TESTS, EVALUATORS),
    *(Broken(fault, f"{BACKEND}    {code}\n", BACKEND_TESTS, failing) for fault, code, failing in BACKENDS),
]
