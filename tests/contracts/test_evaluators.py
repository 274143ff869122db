"""ftrun's own evaluators keep the contract that a third party's tests inherit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ftrun.api.tool_calls import ToolCall
from ftrun.plugins.manager import plugins
from ftrun.testing import EvaluatorContract
from ftrun.testing.evaluator import Case
from ftrun_plugins.evaluation.metrics.bleu import Bleu
from ftrun_plugins.evaluation.metrics.chrf import Chrf
from ftrun_plugins.evaluation.metrics.exact_match import ExactMatch
from ftrun_plugins.evaluation.metrics.held_out_loss import HeldOutLoss
from ftrun_plugins.evaluation.metrics.json_schema import JsonSchema
from ftrun_plugins.evaluation.metrics.judge import Judge
from ftrun_plugins.evaluation.metrics.length_and_stop import LengthAndStop
from ftrun_plugins.evaluation.metrics.lm_eval import LmEval
from ftrun_plugins.evaluation.metrics.regex import Regex
from ftrun_plugins.evaluation.metrics.rouge import Rouge
from ftrun_plugins.evaluation.metrics.sql_execution import SqlExecution
from ftrun_plugins.evaluation.metrics.tool_call import ToolCallMatch
from helpers.judge_server import judge_server

WORDS = (Case("The quick brown fox jumps over the lazy dog."), Case("one two three four"))


class TestExactMatch(EvaluatorContract):
    evaluator = ExactMatch
    cases = (*WORDS, Case("  spaced\n out "))


class TestRegex(EvaluatorContract):
    evaluator = Regex
    options = {"pattern_field": "wanted", "match": "full", "ignore_case": True}
    cases = (Case("", {"wanted": r"(a+)+b"}, "AAB"), Case("", {"wanted": r"\d{4}-\d\d"}, "2026-11"))
    bad_rows = (Case("x", {}), Case("x", {"wanted": 3}), Case("x", {"wanted": "("}), Case("x", {"wanted": "(?=a)"}))


class TestSqlExecution(EvaluatorContract):
    evaluator = SqlExecution
    cases = (Case("SELECT a FROM t", {"schema": "CREATE TABLE t (a INT); INSERT INTO t VALUES (1), (2);"}),)
    bad_rows = (Case("SELECT a FROM t", {}), Case("SELECT b FROM t", {"schema": "CREATE TABLE t (a INT);"}))


class TestJsonSchema(EvaluatorContract):
    evaluator = JsonSchema
    options = {"schema_field": "shape"}
    cases = (
        Case('{"a": 1}', {"shape": {"type": "object", "required": ["a"]}}),
        Case("[]", {"shape": '{"maxItems": 0}'}),
    )
    bad_rows = (Case("{}", {}), Case("{}", {"shape": "{"}), Case("{}", {"shape": {"type": "nothing"}}))
    requires = ("jsonschema",)


class TestLengthAndStop(EvaluatorContract):
    evaluator = LengthAndStop
    options = {"min_tokens": 1, "max_tokens": 20}
    cases = WORDS


class TestToolCall(EvaluatorContract):
    evaluator = ToolCallMatch
    cases = (Case("Looking.", calls=(ToolCall("find", {"name": "Ada"}), ToolCall("find", {"name": "Bob"}))),)


class TestRouge(EvaluatorContract):
    evaluator = Rouge
    cases = WORDS
    bad_rows = (Case("¿?"),)
    requires = ("rouge_score",)


class TestBleu(EvaluatorContract):
    evaluator = Bleu
    cases = WORDS
    best, highest = 100.0, 100.0001
    requires = ("sacrebleu",)


class TestChrf(EvaluatorContract):
    evaluator = Chrf
    cases = WORDS
    best, highest = 100.0, 100.0001
    requires = ("sacrebleu",)


class TestHeldOutLoss(EvaluatorContract):
    evaluator = HeldOutLoss


class TestLmEval(EvaluatorContract):
    evaluator = LmEval
    options = {"task": "gsm8k"}


class TestJudge(EvaluatorContract):
    evaluator = Judge
    cases = WORDS
    best = None

    @pytest.fixture(autouse=True)
    def _endpoint(self) -> Iterator[None]:
        with judge_server() as server:
            self.options = {"base_url": server.url, "model": "m", "rubric": "r", "retries": 0}
            yield


def test_each_registered_evaluator_is_tested_here() -> None:
    tested = {contract.evaluator for contract in EvaluatorContract.__subclasses__()}
    own = [part.cls for part in plugins().of_kind("evaluator").values() if part.distribution == "ftrun"]
    assert [cls.__name__ for cls in own if cls not in tested] == []
