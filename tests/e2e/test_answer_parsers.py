"""Parsers of calls and thoughts: the real ones of vLLM, and those of the engine `transformers`, on real chat templates.

A proposed parser reads what its template writes. Another parser is refused.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftrun_plugins.answer_formats.parser_names import CALL_FORMATS, REASONING_PARSERS, THOUGHT_TAGS, TOOL_PARSERS
from ftrun_plugins.answer_formats.proposal import propose_reasoning_parser, propose_tool_parser
from helpers.workplace import PROJECT, SCRIPTS, in_environment, trainer_python

pytestmark = pytest.mark.e2e

MARKS = r"<\|[A-Za-z_0-9]+\|?>|<turn\|>|\[[A-Z_]+\]|</?think>|</?tool_call>|<tool_call\|>|<channel\|>|<\|\"\|>"
TOOLS = {  # proposed parsers by template
    "trl/qwen2_5": "hermes",
    "trl/qwen3_instruct_2507": "hermes",
    "trl/llama3_1": "llama3_json",
    "axolotl/mistral_v2v3": "mistral",
    "trl/qwen3_5_think": "qwen3_coder",
    "trl/glm4moe": "glm45",
    "trl/gemma4": "gemma4",
    "trl/lfm2_2_5": "lfm2",
}
THOUGHTS = {
    "trl/qwen3": "qwen3",
    "trl/qwen3_5_think": "qwen3",
    "trl/glm4moe": "glm45",
}
FOLDERS = {"axolotl": "axolotl/utils/chat_templates/templates", "trl": "trl/chat_templates"}


def template(name: str) -> str:
    package, _, file = name.partition("/")
    packages = Path(trainer_python()).parents[1] / "lib"
    (path,) = packages.glob(f"python3*/site-packages/{FOLDERS[package]}/{file}.jinja")
    return path.read_text()


def cases(engine: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, parser in TOOLS.items():
        if engine or parser in CALL_FORMATS:
            found[f"{name} {parser}"] = {"template": template(name), "tool_parser": parser}
        other = "mistral" if parser == "hermes" else "hermes"
        found[f"wrong {name}"] = {"template": template(name), "tool_parser": other}
    for name, parser in THOUGHTS.items():
        if engine or parser in THOUGHT_TAGS:
            found[f"{name} {parser}"] = {"template": template(name), "reasoning_parser": parser}
    found["no thoughts"] = {"template": template("trl/llama3_1"), "tool_parser": "llama3_json"}
    found["no calls"] = {"template": template("axolotl/chatml"), "tool_parser": "hermes"}
    found["both"] = {"template": template("trl/qwen3"), "tool_parser": "hermes", "reasoning_parser": "qwen3"}
    return {name: {**case, "engine": engine} for name, case in found.items()}


def parse(environment: str, tiny: Path, work: Path) -> dict[str, Any]:
    (work / "cases.json").write_text(json.dumps(cases(environment == "server_cpu")))
    arguments = [str(PROJECT), str(tiny), str(work / "cases.json"), MARKS]
    answer = in_environment(environment, SCRIPTS / "parse_answers.py", arguments, seconds=300)
    found: dict[str, Any] = json.loads(answer.splitlines()[-1])
    return found


def test_templates_get_the_proposals_that_the_tests_try() -> None:
    assert {name: propose_tool_parser(template(name)) for name in TOOLS} == TOOLS
    assert {name: propose_reasoning_parser(template(name)) for name in THOUGHTS} == THOUGHTS


@pytest.mark.slow
@pytest.mark.parametrize("environment", ["server_cpu", "trainer"])
def test_a_proposed_parser_reads_what_its_template_writes(environment: str, tiny: Path, tmp_path: Path) -> None:
    found = parse(environment, tiny, tmp_path)
    for name, problems in found["cases"].items():
        if name.startswith("wrong"):
            assert "does not read" in problems[0] or "cannot use the parsers" in problems[0], (name, problems)
        elif name == "no calls":
            assert "leaves out calls" in problems[0]
        else:
            assert problems == [], name
    if environment == "server_cpu":
        assert found["names"] == {"tools": sorted(TOOL_PARSERS), "reasoning": sorted(REASONING_PARSERS)}
