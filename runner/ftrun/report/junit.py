"""Gates of a run as JUnit XML, which CI systems show as tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ftrun.api.errors import Problem
from ftrun.api.redaction import redact_text
from ftrun.report.evaluation_details import evaluation_details, gate_text
from ftrun.report.run_data import RunData
from ftrun.store.run_record import EvaluationResult, GateRule

INVALID = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0


def make_junit(run: RunData) -> str:
    """Return a test suite with one test per rule of a gate.

    An unmet rule is a failure, or with the level `warn` a skipped test. An evaluation without a gate is a test that
    passes. A run that failed is a test with an error.
    """
    record = run.record
    suite = Element("testsuite", name=_clean(record.id))
    for name, result in run.evaluation.items():
        for case in _cases(name, result):
            suite.append(case)
    if record.status not in ("done", "gate_not_met"):
        case = SubElement(suite, "testcase", classname="run", name=f"status {record.status}")
        problems = [Problem.from_dict(problem).what for problem in record.problems]
        SubElement(case, "error", message=_clean("; ".join(problems) or f"the run is {record.status}"))
    for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(len(list(suite.iter(tag)))))
    indent(suite)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(suite, encoding="unicode")}\n'


def _cases(name: str, result: EvaluationResult) -> Iterator[Element]:
    rules = result.get("gate", [])
    for rule in rules:
        yield _case(name, rule, result)
    if not rules:
        case = Element("testcase", classname=_clean(f"evals.{name}"), name=_clean(result.get("verdict") or "score"))
        _describe(case, result)
        yield case


def _case(name: str, rule: GateRule, result: EvaluationResult) -> Element:
    case = Element(
        "testcase", classname=_clean(f"evals.{name}"), name=_clean(f"{rule.get('rule')} {rule.get('limit')}")
    )
    if not rule.get("met", False):
        tag = "skipped" if rule.get("level") == "warn" else "failure"
        SubElement(case, tag, message=_clean(gate_text(rule)))
    _describe(case, result)
    return case


def _describe(case: Element, result: EvaluationResult) -> None:
    fields = ("rows", "base", "tuned", "gain", "interval", "verdict")
    numbers = (f"{field} {result[field]}" for field in fields if result.get(field) is not None)  # type: ignore[literal-required]
    SubElement(case, "system-out").text = _clean("; ".join([*numbers, *evaluation_details(result)]))


def _clean(text: str) -> str:
    return INVALID.sub("?", redact_text(text))
