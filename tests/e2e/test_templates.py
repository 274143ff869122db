"""Real chat templates: the prompt is what the tokenizer's own template gives, and only the assistant's turns are trained.

The templates are files of packages in the trainer's environment, all tried in one process. Where the trainer cannot do
it, the stage says so and trains nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from driving import PROJECT, in_trainer, trainer_python

pytestmark = pytest.mark.e2e

HERE = Path(__file__).parent
FOLDERS = {"axolotl": "axolotl/utils/chat_templates/templates", "trl": "trl/chat_templates"}
# Marks that a template writes as single tokens of its model; the tiny model's tokenizer gets them, too.
MARKS = re.compile(r"<\|[A-Za-z_0-9]+\|>|<[a-z]+_of_turn>|<\|turn>|<turn\|>|\[\|[a-z]+\|\]|<｜[^｜]+｜>|\[/?INST\]")
OWN = {"<|im_start|>", "<|im_end|>", "<|endoftext|>"}  # of that tokenizer
EQUAL = "equal"


@dataclass(frozen=True)
class Template:
    """What ends a turn besides the tokenizer's own end, and what becomes of conversations: by default all are equal."""

    ends: tuple[str, ...] = ()
    plain: str = EQUAL
    system: str = EQUAL
    tools: str = EQUAL

    @property
    def expected(self) -> Mapping[str, str]:
        return {"turns": self.plain, "system": self.system, "tools": self.tools}


TEMPLATES: Mapping[str, Template] = {}


def asked(name: str, template: Template, site: Path) -> dict[str, Any]:
    package, _, stem = name.partition("/")
    file = site / FOLDERS[package] / f"{stem}.jinja"
    marks = set(MARKS.findall(file.read_text())) | set(template.ends)
    trainer: dict[str, Any] = {"tokens": sorted(marks - OWN)}
    if template.ends:
        trainer["eot_tokens"] = list(template.ends)
    return {"name": name, "file": str(file), "trainer": trainer}


@pytest.fixture(scope="module")
def outcomes(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    folder = tmp_path_factory.mktemp("templates")
    (site,) = Path(trainer_python()).parents[1].glob("lib/python*/site-packages")
    (folder / "asked.json").write_text(
        json.dumps(
            {
                "packages": [str(PROJECT / "runner"), str(PROJECT / "plugins")],
                "tokenizer": str(tiny),
                "work": str(folder),
                "templates": [asked(name, template, site) for name, template in TEMPLATES.items()],
            }
        )
    )
    output = in_trainer(HERE / "render_templates.py", [str(folder / "asked.json")], seconds=600)
    found: dict[str, dict[str, str]] = json.loads(output.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_rendered_and_masked_exactly_or_refused(name: str, outcomes: dict[str, dict[str, str]]) -> None:
    for conversation, expected in TEMPLATES[name].expected.items():
        outcome = outcomes[name][conversation]
        assert outcome == EQUAL if expected == EQUAL else outcome.startswith(f"refused: {expected}"), (
            conversation,
            outcome,
        )


def test_a_dozen_are_exact(outcomes: dict[str, dict[str, str]]) -> None:
    exact = [name for name, found in outcomes.items() if found["turns"] == EQUAL]
    with_tools = [name for name, found in outcomes.items() if found["tools"] == EQUAL]
    assert len(exact) >= 12
    assert len(with_tools) >= 5
