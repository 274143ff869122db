"""ftrun's own formatters keep the contract that a third party's tests inherit."""

from __future__ import annotations

from ftrun.plugins.manager import plugins
from ftrun.testing import FormatterContract
from ftrun_plugins.data.formatters.alpaca import Alpaca
from ftrun_plugins.data.formatters.auto import Auto
from ftrun_plugins.data.formatters.chat import ChatFormatter
from ftrun_plugins.data.formatters.completion import Completion
from ftrun_plugins.data.formatters.segments import SegmentsFormatter
from ftrun_plugins.data.formatters.sharegpt import ShareGpt
from ftrun_plugins.data.formatters.template import Template

FAST = 30_000  # rows a second, as fast as the stage `format` reads


def turns(*texts: str) -> list[dict[str, str]]:
    roles = ("user", "assistant")
    return [{"role": roles[index % 2], "content": text} for index, text in enumerate(texts)]


class TestChat(FormatterContract):
    formatter = ChatFormatter
    rows = ({"messages": turns("What is 1 + 1?", "2")}, {"messages": turns("a", "b", "c", "d"), "tools": []})
    bad_rows = ({}, {"messages": turns("no answer")}, {"messages": "text"})
    rows_per_second = FAST


class TestShareGpt(FormatterContract):
    formatter = ShareGpt
    options = {"roles": {"bot": "assistant"}}
    rows = (
        {"conversations": [{"from": "human", "value": "1 + 1?"}, {"from": "gpt", "value": "2"}]},
        {"conversations": [{"from": "user", "value": "a"}, {"from": "bot", "value": "b"}], "system": "Be short."},
    )
    bad_rows = ({}, {"conversations": []}, {"conversations": [{"from": "human", "value": "no answer"}]})
    rows_per_second = FAST


class TestAlpaca(FormatterContract):
    formatter = Alpaca
    rows = (
        {"instruction": "Add.", "input": "1 + 1", "output": "2"},
        {"instruction": "Go on.", "output": "Well.", "history": [["Hello", "Hi"]], "system": "Be short."},
    )
    bad_rows = ({}, {"instruction": "Add.", "output": ""}, {"instruction": [3], "output": "2"})
    rows_per_second = FAST


class TestAuto(FormatterContract):
    """By one row at a time; the stage `format` has it choose once, and the choice does the work."""

    formatter = Auto
    rows = ({"messages": turns("1 + 1?", "2")},)
    bad_rows = ({}, {"x": 1})
    names_columns = False


class TestCompletion(FormatterContract):
    formatter = Completion
    options = {"field": "story"}
    rows = ({"story": "Once upon a time."}, {"story": "Äh 🙂", "more": 1})
    bad_rows = ({}, {"story": ""}, {"text": "another column"})
    rows_per_second = FAST


class TestSegments(FormatterContract):
    formatter = SegmentsFormatter
    rows = ({"segments": [{"text": "1 + 1?", "label": False}, {"text": "2", "label": True}]},)
    bad_rows = ({}, {"segments": []}, {"segments": [{"text": "1 + 1?", "label": False}]})
    rows_per_second = FAST


class TestTemplate(FormatterContract):
    formatter = Template
    options = {"prompt": "[INST] {question} [/INST]", "answer": "{reply}"}
    rows = ({"question": "1 + 1?", "reply": "2"}, {"question": "half?", "reply": 0.5})
    bad_rows = ({"question": "1 + 1?"}, {"question": "?", "reply": ""}, {"question": [], "reply": "a"})
    rows_per_second = FAST


def test_each_registered_formatter_is_tested_here() -> None:
    tested = {contract.formatter for contract in FormatterContract.__subclasses__()}
    own = [part.cls for part in plugins().of_kind("formatter").values() if part.distribution == "ftrun"]
    assert [cls.__name__ for cls in own if cls not in tested] == []
